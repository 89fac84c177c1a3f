/**
 * The texts of types and fields, from the file that the build puts beside the bundle. Read when first needed; without the file there are none.
 */
import { readFileSync } from "node:fs";
import type { Descriptions } from "./schemas.ts";

/** Beside the bundle, beside its chunks' folder, and (run from source) in `dist/`. */
const PLACES = ["./descriptions.json", "../descriptions.json", "../../../dist/descriptions.json"];

/** Never throws: a file that is missing or broken means no descriptions. */
export function loadDescriptions(): Descriptions {
  for (const place of PLACES) {
    try {
      return JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8")) as Descriptions;
    } catch {
      // The next place, or none.
    }
  }
  return {};
}
