/**
 * RFC 6902 with upstream's leniencies: `replace` of a missing key adds it, negative indexes count from the end, a value that is missing is null.
 * Pure: the document is not changed.
 * Follows evanphx/json-patch v4, which the API server uses.
 */
import { own, setOwn } from "../../base/own.ts";
import { NumberText, type JsonObject } from "../schema/json-parser.ts";
import { inPrintedOrder, type Touched } from "./go-json.ts";

export interface Operation {
  readonly op?: string;
  readonly path?: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** An operation that does not apply. Its text stays in here: the API answers with a general one. */
export class OperationError extends Error {}

type Container = JsonObject | unknown[];

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null && !(value instanceof NumberText);

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

const decodeToken = (token: string): string => token.replaceAll("~1", "/").replaceAll("~0", "~");

class Document {
  root: Container;
  readonly #touched: Touched;

  constructor(document: Container, touched: Touched) {
    this.root = document;
    this.#touched = touched;
  }

  apply({ op, path = "", from = "", value: given }: Operation): void {
    const value = given ?? null;
    switch (op) {
      case "add": return this.#add(path, value);
      case "remove": return void this.#remove(path);
      case "replace": return this.#replace(path, value);
      case "move": return this.#move(from, path);
      case "copy": return this.#add(path, inPrintedOrder(this.#get(from), this.#touched) ?? null);
      case "test": return this.#test(path, value);
      case undefined: default: throw new OperationError(`Unexpected kind: ${op ?? "unknown"}`);
    }
  }

  /** The container that holds the path's last part, copied on the way so that it may be written to. */
  #locate(path: string): { readonly container: Container; readonly key: string } {
    const tokens = path.split("/");
    if (tokens.length < 2) throw new OperationError(`doc is missing path: ${path}`);
    let container = this.root;
    for (const token of tokens.slice(1, -1)) container = this.#descend(container, decodeToken(token), path);
    return { container, key: decodeToken(tokens.at(-1) ?? "") };
  }

  #descend(container: Container, key: string, path: string): Container {
    const inner = read(container, key);
    if (!isContainer(inner)) throw new OperationError(`doc is missing path: ${path}`);
    const copy = Array.isArray(inner) ? [...inner] : { ...inner };
    this.#touched.add(copy);
    if (Array.isArray(container)) container[indexOf(key, container.length)] = copy;
    else setOwn(container, key, copy);
    return copy;
  }

  #add(path: string, value: unknown): void {
    const { container, key } = this.#locate(path);
    if (!Array.isArray(container)) setOwn(container, key, value);
    else if (key === "-") container.push(value);
    else container.splice(indexOf(key, container.length + 1), 0, value);
  }

  #remove(path: string): unknown {
    const { container, key } = this.#locate(path);
    if (Array.isArray(container)) return container.splice(indexOf(key, container.length), 1)[0];
    if (!Object.hasOwn(container, key)) throw new OperationError(`Unable to remove nonexistent key: ${key}`);
    const value = container[key];
    delete container[key];
    return value;
  }

  #replace(path: string, value: unknown): void {
    if (path === "") {
      if (!isContainer(value)) throw new OperationError("replace operation value must be object or array");
      this.root = Array.isArray(value) ? [...value] : { ...value };
      this.#touched.add(this.root);
      return;
    }
    const { container, key } = this.#locate(path);
    if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
    else setOwn(container, key, value);
  }

  /** Upstream looks for the destination after it has taken the value away. */
  #move(from: string, path: string): void {
    this.#add(path, this.#remove(from));
  }

  #get(path: string): unknown {
    const { container, key } = this.#locate(path);
    return read(container, key);
  }

  #test(path: string, value: unknown): void {
    const found = path === "" ? this.root : this.#get(path);
    if (!this.#equal(found ?? null, value)) throw new OperationError(`testing value ${path} failed`);
  }

  /** Numbers are compared as they are written. */
  #equal(a: unknown, b: unknown): boolean {
    if (isContainer(a)) this.#touched.add(a);
    if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => this.#equal(item, b[i]));
    if (!isContainer(a)) return !isContainer(b) && written(a) === written(b);
    if (!isContainer(b) || isList(a) || isList(b)) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && this.#equal(a[key], b[key]));
  }
}

const written = (value: unknown): string => (value instanceof NumberText ? value.text : JSON.stringify(value ?? null));

function indexOf(key: string, length: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw new OperationError(`not an index: ${key}`);
  const index = Number(key) < 0 ? Number(key) + length : Number(key);
  if (index < 0 || index >= length) throw new OperationError(`index out of range: ${key}`);
  return index;
}

function read(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return own(container, key);
}

/** The changed document, sorted where the operations reached into it. Throws OperationError; the document given stays as it was. */
export function applyOperations(document: object, operations: readonly (Operation | null)[]): unknown {
  const touched: Touched = new WeakSet();
  const changed = new Document({ ...(document as JsonObject) }, touched);
  for (const operation of operations) changed.apply(operation ?? {});
  touched.add(changed.root);
  return inPrintedOrder(changed.root, touched);
}
