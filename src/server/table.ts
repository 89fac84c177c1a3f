/**
 * Objects as the rows of a Table. Pure; cells come from the kind's printer.
 * Follows kubernetes pkg/printers/tablegenerator.go and apiserver pkg/endpoints/handlers/response.go (asTable).
 */
import type { Instant } from "../base/clock.ts";
import type { Column, Kind, Printer } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { ObjectList } from "../api/request.ts";
import { badRequest } from "../api/status-error.ts";
import { isList, jsonOf, partialMetadata } from "./encode.ts";

export interface TableOptions {
  readonly version: string;
  /** None, Metadata or Object: what a row carries of its object. */
  readonly include: string;
  /** Watches send the columns once. */
  readonly columns: readonly ColumnDefinition[] | null;
}

/** A column as it is sent. */
export type ColumnDefinition = Omit<Column, "describedBy">;

/** Schema → field → text. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The columns of a kind, with their descriptions: read when the first Table is asked for, then kept. */
export type Columns = (kind: Kind | undefined) => readonly ColumnDefinition[];

export function openColumns(descriptions: () => Descriptions): Columns {
  const known = new Map<Printer<KubeObject>, readonly ColumnDefinition[]>();
  let texts: Descriptions | undefined;
  const describe = ({ description, describedBy }: Column): string => {
    if (describedBy === undefined) return description;
    texts ??= descriptions();
    const dot = describedBy.lastIndexOf(".");
    return texts[describedBy.slice(0, dot)]?.[describedBy.slice(dot + 1)] ?? description;
  };
  return (kind) => {
    const printer = kind?.printer ?? plainPrinter;
    let columns = known.get(printer);
    if (!columns) {
      columns = printer.columns.map((column) => {
        const { describedBy: _describedBy, ...rest } = column;
        return { ...rest, description: describe(column) };
      });
      known.set(printer, columns);
    }
    return columns;
  };
}

const INCLUDES = new Set(["None", "Metadata", "Object"]);

/** The query's includeObject, checked. */
export function includeObjectOf(query: URLSearchParams): string {
  const include = query.get("includeObject") || "Metadata";
  if (INCLUDES.has(include)) return include;
  throw badRequest(`Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`);
}

/** For kinds without a printer of their own: name and age. */
const ageOf = (object: KubeObject): string => object.metadata.creationTimestamp ?? "";
export const plainPrinter: Printer<KubeObject> = {
  columns: [
    { name: "Name", type: "string", format: "name", description: "Name must be unique within a namespace.", priority: 0 },
    { name: "Created At", type: "date", format: "", description: "CreationTimestamp is the time when this object was created.", priority: 0 },
  ],
  cells: (object) => [object.metadata.name ?? "", ageOf(object)],
};

function withoutHidden(object: KubeObject, { hiddenAnnotations: hidden = [] }: Printer<KubeObject>): KubeObject {
  const { annotations = {}, ...metadata } = object.metadata;
  if (!hidden.some((key) => key in annotations)) return object;
  const shown = Object.entries(annotations).filter(([key]) => !hidden.includes(key));
  return { ...object, metadata: { ...metadata, ...(shown.length > 0 && { annotations: Object.fromEntries(shown) }) } };
}

function rowText(object: KubeObject, printer: Printer<KubeObject>, now: Instant, options: TableOptions): string {
  const conditions = printer.conditions?.(object);
  const carried = (): string => {
    if (options.include === "None") return "null";
    return options.include === "Object" ? jsonOf(object) : JSON.stringify(partialMetadata(withoutHidden(object, printer), options.version));
  };
  const withConditions = conditions && conditions.length > 0 ? `,"conditions":${JSON.stringify(conditions)}` : "";
  return `{"cells":${JSON.stringify(printer.cells(object, now))}${withConditions},"object":${carried()}}`;
}

/** The JSON text of the Table, in parts. */
export function* tableTexts(body: KubeObject | ObjectList, kind: Kind | undefined, now: Instant, options: TableOptions): Generator<string, void> {
  const printer = kind?.printer ?? plainPrinter;
  const list = isList(body);
  const { resourceVersion } = body.metadata;
  const metadata = list ? body.metadata : { ...(resourceVersion !== undefined && { resourceVersion }) };
  const items: readonly KubeObject[] = list ? body.items : [body];
  const head = { kind: "Table", apiVersion: `meta.k8s.io/${options.version}`, metadata, columnDefinitions: options.columns };
  // All of them first: an object that can't be printed is an error, not half a body.
  const rows = items.map((item) => rowText(item, printer, now, options));
  yield `${JSON.stringify(head).slice(0, -1)},"rows":[`;
  for (const [i, row] of rows.entries()) {
    if (i > 0) yield ",";
    yield row;
  }
  yield "]}";
}

/** The same, whole. */
export const tableText = (...args: Parameters<typeof tableTexts>): string => [...tableTexts(...args)].join("");
