/**
 * The columns of every kind's Table: names, types, formats, priorities and descriptions are upstream's (`../data/printer-columns.json`). A description
 * is a text or that of an API field (`describedBy`), which whoever has the API's descriptions fills in.
 * Follows kubernetes pkg/printers/internalversion/printers.go (AddHandlers).
 */
import printerColumns from "../data/printer-columns.json" with { type: "json" };
import type { Resource } from "../resource.ts";
import type { Column } from "./kind.ts";

/** The last is a text, `=META.name` for a field of the metadata, or `=apps.v1.DeploymentSpec.selector` for another API field. */
type Raw = readonly (readonly [name: string, type: string, format: string, priority: number, description: string])[];

const COLUMNS = printerColumns as unknown as Readonly<Record<string, Raw | undefined>>;
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/** Those of kinds without a table of their own (TableConvertor's default). */
const DEFAULT_COLUMNS: Raw = [["Name", "string", "name", 0, "=META.name"], ["Created At", "date", "", 0, "=META.creationTimestamp"]];

function describe(text: string): Pick<Column, "description" | "describedBy"> {
  if (!text.startsWith("=")) return { description: text };
  return { description: "", describedBy: text.startsWith("=META.") ? META + text.slice("=META".length) : `io.k8s.api.${text.slice(1)}` };
}

export function columnsOf(resource: Pick<Resource, "group" | "version" | "plural">): readonly Column[] {
  const raw = COLUMNS[`${resource.group === "" ? "api" : `apis/${resource.group}`}/${resource.version}/${resource.plural}`] ?? DEFAULT_COLUMNS;
  return raw.map(([name, type, format, priority, description]) => ({ name, type, format, priority, ...describe(description) }));
}
