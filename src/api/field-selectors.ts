/**
 * Field selectors: the text of `?fieldSelector=`, which fields a kind may be selected by, and whether an object fits.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/fields/selector.go; words of unknown fields follow each group's conversion.go.
 */
import type { KubeObject } from "./object.ts";
import type { Kind } from "./kinds/kind.ts";
import { badRequest } from "./status-error.ts";

export interface FieldTerm {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** All of them must hold; an empty list selects everything. */
export type FieldSelector = readonly FieldTerm[];

/** Splits at commas that are not escaped. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescape(value: string): string {
  let out = "";
  for (let i = 0; i < value.length; i++) {
    const c = value.charAt(i);
    if (c === "\\") {
      const next = value.charAt(++i);
      if (next !== "\\" && next !== "," && next !== "=") throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`);
      out += next;
    } else if (c === "," || c === "=") {
      throw badRequest(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`);
    } else {
      out += c;
    }
  }
  return out;
}

function splitTerm(term: string): { field: string; equal: boolean; rest: string } | undefined {
  for (let i = 0; i < term.length; i++) {
    for (const operator of ["!=", "==", "="]) {
      if (term.startsWith(operator, i)) return { field: term.slice(0, i), equal: operator !== "!=", rest: term.slice(i + operator.length) };
    }
  }
  return undefined;
}

/** Rejects with a 400 where the text is no selector. Whether its fields are known is `checkFields`' matter. */
export function parseFieldSelector(text: string | undefined): FieldSelector {
  if (text === undefined || text === "") return [];
  return splitTerms(text)
    .sort()
    .filter((term) => term !== "")
    .map((term) => {
      const split = splitTerm(term);
      if (!split) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      return { field: split.field, equal: split.equal, value: unescape(split.rest) };
    })
    .filter(({ field, value }) => field !== "" || value !== "");
}

type Selectable = Pick<Kind, "resource" | "selectableFields">;

/** The words depend on where upstream converts the label: kinds with selectable fields say it in their own way. */
function unknownField({ resource, selectableFields }: Selectable, field: string): string {
  if (Object.keys(selectableFields).length === 0) return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
  if (resource.group === "batch") return `field label ${JSON.stringify(field)} not supported for ${resource.kind}`;
  return `field label not supported: ${field}`;
}

/** Rejects with a 400 where a field is not one that the kind can be selected by. */
export function checkFields(kind: Selectable, selector: FieldSelector): void {
  for (const { field } of selector) {
    const isCommon = field === "metadata.name" || (field === "metadata.namespace" && (kind.resource.namespaced || Object.keys(kind.selectableFields).length === 0));
    if (!isCommon && !Object.hasOwn(kind.selectableFields, field)) throw badRequest(unknownField(kind, field));
  }
}

function valueOf(kind: Selectable, field: string, object: KubeObject): string {
  if (field === "metadata.name") return object.metadata.name ?? "";
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return kind.selectableFields[field]?.(object) ?? "";
}

export const matchesFields = (kind: Selectable, selector: FieldSelector, object: KubeObject): boolean =>
  selector.every(({ field, equal, value }) => (valueOf(kind, field, object) === value) === equal);

/** The value that a selector demands of `field`, if it demands one. */
export const demandedValue = (selector: FieldSelector, field: string): string | undefined => selector.find((term) => term.field === field && term.equal)?.value;
