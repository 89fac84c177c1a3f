/**
 * RFC 6902 with upstream's leniencies: `replace` of a missing key adds it, negative indexes count from the end. Pure: the document is not changed.
 * Follows evanphx/json-patch v4, which the API server uses.
 */
import { NumberText, plain, setOwn, type JsonObject } from "../schema/json-parser.ts";

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

const decodeToken = (token: string): string => token.replaceAll("~1", "/").replaceAll("~0", "~");

/** The container that holds the path's last part, copied on the way so that it may be written to. */
function locate(root: Container, path: string): { readonly container: Container; readonly key: string } {
  const tokens = path.split("/");
  if (tokens.length < 2) throw new OperationError(`doc is missing path: ${path}`);
  let container = root;
  for (const token of tokens.slice(1, -1)) container = descend(container, decodeToken(token), path);
  return { container, key: decodeToken(tokens.at(-1) ?? "") };
}

function descend(container: Container, key: string, path: string): Container {
  const inner = read(container, key);
  if (!isContainer(inner)) throw new OperationError(`doc is missing path: ${path}`);
  const copy = Array.isArray(inner) ? [...inner] : { ...inner };
  if (Array.isArray(container)) container[indexOf(key, container.length)] = copy;
  else setOwn(container, key, copy);
  return copy;
}

function indexOf(key: string, length: number): number {
  if (!/^-?\d+$/.test(key)) throw new OperationError(`not an index: ${key}`);
  const index = Number(key) < 0 ? Number(key) + length : Number(key);
  if (index < 0 || index >= length) throw new OperationError(`index out of range: ${key}`);
  return index;
}

function read(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function add(root: Container, path: string, value: unknown): void {
  const { container, key } = locate(root, path);
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === "-") container.push(value);
  else container.splice(indexOf(key, container.length + 1), 0, value);
}

function remove(root: Container, path: string): unknown {
  const { container, key } = locate(root, path);
  if (Array.isArray(container)) return container.splice(indexOf(key, container.length), 1)[0];
  if (!Object.hasOwn(container, key)) throw new OperationError(`Unable to remove nonexistent key: ${key}`);
  const value = container[key];
  delete container[key];
  return value;
}

function replace(root: Container, path: string, value: unknown): void {
  const { container, key } = locate(root, path);
  if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
  else setOwn(container, key, value);
}

function get(root: Container, path: string): unknown {
  const { container, key } = locate(root, path);
  return read(container, key);
}

function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isContainer(a) || Array.isArray(a) || !isContainer(b) || Array.isArray(b)) return (a ?? null) === (b ?? null);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

function applyOne(root: Container, operation: Operation): void {
  const { op, path = "", from = "" } = operation;
  const value = plain(operation.value ?? null);
  switch (op) {
    case "add": return add(root, path, value);
    case "remove": return void remove(root, path);
    case "replace": return replace(root, path, value);
    case "move": return add(root, path, remove(root, from));
    case "copy": return add(root, path, structuredClone(get(root, from)));
    case "test":
      if (!equal(get(root, path), value)) throw new OperationError(`testing value ${path} failed`);
      return undefined;
    case undefined: default: throw new OperationError(`Unexpected kind: ${op ?? "unknown"}`);
  }
}

/** The changed document. Throws OperationError; the document given stays as it was. */
export function applyOperations(document: object, operations: readonly Operation[]): object {
  const root: Container = { ...(document as JsonObject) };
  for (const operation of operations) applyOne(root, operation);
  return root;
}
