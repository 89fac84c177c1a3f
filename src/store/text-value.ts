/**
 * A value of which only the text is held: read from disk, or superseded and kept for the history. Parsed and frozen at the first look.
 */
import { freezeDeeply } from "../base/freeze.ts";
import type { Entry, Value } from "./store.ts";

export class TextValue implements Value {
  readonly text: string;
  #object: object | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get object(): object {
    this.#object ??= freezeDeeply(JSON.parse(this.text) as object);
    return this.#object;
  }
}

/** The same entry, which keeps no object alive. */
export const slim = (entry: Entry): Entry => (entry.value instanceof TextValue ? entry : { ...entry, value: new TextValue(entry.value.text) });
