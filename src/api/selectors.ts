/**
 * Label selectors: the text of `?labelSelector=` to requirements, and LabelSelector objects, and whether labels fit. Field selectors are another
 * module. Messages and quirks (what `in ()` means, what is refused) follow kubernetes staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
 */
import { unreachable } from "../base/assert.ts";
import { own, table } from "../base/own.ts";
import { invalidValue, required, type FieldError } from "./field-error.ts";
import type { LabelSelector } from "./generated/types.ts";
import { isLabelValue, isQualifiedName } from "./names.ts";
import { badRequest } from "./status-error.ts";

export type Labels = Readonly<Record<string, string>> | undefined;

export type RequirementOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

export interface Requirement {
  readonly key: string;
  readonly operator: RequirementOperator;
  /** Sorted, without duplicates. */
  readonly values: readonly string[];
}

/** All of them must hold; an empty list selects everything. */
export type Selector = readonly Requirement[];

type TokenKind = "end" | "identifier" | "(" | ")" | "," | "!" | "=" | "==" | "!=" | ">" | "<" | "in" | "notin" | "error";

interface Token {
  readonly kind: TokenKind;
  readonly literal: string;
}

const SYMBOLS: ReadonlySet<string> = new Set(["(", ")", ",", "!", "=", "==", "!=", ">", "<"]);
const isSpecial = (c: string) => "=!(),><".includes(c);
const isSpace = (c: string) => c === " " || c === "\t" || c === "\r" || c === "\n";

function scanSymbol(text: string, start: number): Token {
  let literal = "";
  let found = "";
  for (let i = start; i < text.length && isSpecial(text.charAt(i)); i++) {
    literal += text.charAt(i);
    if (SYMBOLS.has(literal)) found = literal;
    else if (found !== "") break;
  }
  return found === "" ? { kind: "error", literal: `error expected: keyword found '${literal}'` } : { kind: found as TokenKind, literal: found };
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let i = 0;
  while (i < text.length) {
    const c = text.charAt(i);
    if (isSpace(c)) {
      i++;
    } else if (isSpecial(c)) {
      const token = scanSymbol(text, i);
      tokens.push(token);
      i += Math.max(token.literal.length, 1);
    } else {
      let end = i;
      while (end < text.length && !isSpecial(text.charAt(end)) && !isSpace(text.charAt(end))) end++;
      const literal = text.slice(i, end);
      tokens.push({ kind: literal === "in" || literal === "notin" ? literal : "identifier", literal });
      i = end;
    }
  }
  return tokens;
}

const END: Token = { kind: "end", literal: "" };
const BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt";

class SelectorSyntaxError extends Error {}
const fail = (message: string): never => {
  throw new SelectorSyntaxError(message);
};

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** `in` and `notin` are plain words wherever no operator is due. */
  #peek(operatorDue = false): Token {
    const token = this.#tokens[this.#at] ?? END;
    return !operatorDue && (token.kind === "in" || token.kind === "notin") ? { kind: "identifier", literal: token.literal } : token;
  }

  #take(operatorDue = false): Token {
    const token = this.#peek(operatorDue);
    if (token.kind !== "end") this.#at++;
    return token;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const first = this.#peek();
      if (first.kind === "end") return requirements;
      if (first.kind !== "identifier" && first.kind !== "!") fail(`found '${first.literal}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const next = this.#take();
      if (next.kind === "end") return requirements;
      if (next.kind !== ",") fail(`found '${next.literal}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after.kind !== "identifier" && after.kind !== "!") fail(`found '${after.literal}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    try {
      return this.#parseRequirement();
    } catch (e) {
      if (e instanceof SelectorSyntaxError) fail(`unable to parse requirement: ${e.message}`);
      throw e;
    }
  }

  #parseRequirement(): Requirement {
    let absent = false;
    let token = this.#take();
    if (token.kind === "!") {
      absent = true;
      token = this.#take();
    }
    if (token.kind !== "identifier") fail(`found '${token.literal}', expected: identifier`);
    const key = token.literal;
    const wrong = isQualifiedName(key);
    if (wrong.length > 0) fail(`<nil>: Invalid value: ${JSON.stringify(key)}: ${wrong.join("; ")}`);
    if (absent) return { key, operator: "!", values: [] };
    const { kind } = this.#peek();
    if (kind === "end" || kind === ",") return { key, operator: "exists", values: [] };
    const operator = this.#operator();
    const values = operator === "in" || operator === "notin" ? this.#values() : this.#exactValue();
    return checked({ key, operator, values: [...new Set(values)].sort() });
  }

  #operator(): RequirementOperator {
    const { kind, literal } = this.#take(true);
    if (kind === "in" || kind === "notin" || kind === "=" || kind === "==" || kind === "!=") return kind;
    if (kind === ">" || kind === "<") return kind === ">" ? "gt" : "lt";
    return fail(`found '${literal}', expected: ${BINARY_OPERATORS}`);
  }

  #exactValue(): string[] {
    const { kind } = this.#peek();
    if (kind === "end" || kind === ",") return [""];
    const token = this.#take();
    return token.kind === "identifier" ? [token.literal] : fail(`found '${token.literal}', expected: identifier`);
  }

  #values(): string[] {
    const open = this.#take();
    if (open.kind !== "(") fail(`found '${open.literal}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") {
      this.#take();
      return [""];
    }
    if (first.kind !== "identifier" && first.kind !== ",") fail(`found '${first.literal}', expected: ',', ')' or identifier`);
    const values = this.#identifiers();
    if (this.#take().kind !== ")") fail(`found '${first.literal}', expected: ')'`);
    return values;
  }

  #identifiers(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.#take();
      const next = this.#peek();
      if (token.kind === "identifier") {
        values.push(token.literal);
        if (next.kind === ")") return values;
        if (next.kind !== ",") fail(`found '${next.literal}', expected: ',' or ')'`);
      } else if (token.kind === ",") {
        if (values.length === 0) values.push("");
        if (next.kind === ")") return [...values, ""];
        if (next.kind === ",") {
          this.#take();
          values.push("");
        }
      } else {
        fail(`found '${token.literal}', expected: ',', or identifier`);
      }
    }
  }
}

const isInteger = (text: string) => /^[+-]?\d+$/.test(text);

/** Follows labels.NewRequirement. */
function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const errors: FieldError[] = [];
  if ((operator === "in" || operator === "notin") && values.length === 0) errors.push(required("values", "for 'in', 'notin' operators, values set can't be empty"));
  values.forEach((value, i) => {
    if ((operator === "gt" || operator === "lt") && !isInteger(value)) errors.push(invalidValue(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    const wrong = isLabelValue(value);
    if (wrong.length > 0) errors.push(invalidValue(`values[${i}][${key}]`, value, wrong.join("; ")));
  });
  if (errors.length > 0) {
    const texts = errors.map((e) => `${e.field}: ${e.message}`);
    fail(texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`);
  }
  return requirement;
}

/** Rejects with a 400 in upstream's words where the text is no selector. */
export function parseLabelSelector(text: string | undefined): Selector {
  if (text === undefined || text === "") return [];
  try {
    return new Parser(tokenize(text)).parse();
  } catch (e) {
    if (e instanceof SelectorSyntaxError) throw badRequest(e.message);
    throw e;
  }
}

function fits({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = own(labels, key);
  switch (operator) {
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "=":
    case "==":
    case "in":
      return value !== undefined && values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "gt":
    case "lt":
      return value !== undefined && isInteger(value) && compares(operator, Number(value), Number(values[0]));
    default:
      return unreachable(operator);
  }
}

const compares = (operator: "gt" | "lt", left: number, right: number) => (operator === "gt" ? left > right : left < right);

export const matchesSelector = (selector: Selector, labels: Labels): boolean => selector.every((r) => fits(r, labels));

const SET_OPERATORS: Readonly<Record<string, RequirementOperator>> = table({ In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" });

/** A LabelSelector of an object as requirements; undefined where an operator is unknown. Follows metav1.LabelSelectorAsSelector. */
export function selectorOf(selector: LabelSelector): Selector | undefined {
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: "=", values: [value] }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = SET_OPERATORS[operator];
    if (known === undefined) return undefined;
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return requirements;
}

/** Nothing fits an absent selector; everything fits an empty one. */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  const requirements = selector && selectorOf(selector);
  return requirements !== undefined && matchesSelector(requirements, labels);
}
