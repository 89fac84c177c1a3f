/**
 * `$(NAME)` in commands, arguments and values. `$$` is a dollar sign; a name that is not known stays as it is.
 * Follows kubernetes third_party/forked/golang/expansion/expand.go.
 */
export type Lookup = (name: string) => string | undefined;

export function expand(text: string, lookup: Lookup): string {
  let out = "";
  let from = 0;
  for (let at = text.indexOf("$"); at >= 0 && at < text.length - 1; at = text.indexOf("$", from)) {
    out += text.slice(from, at);
    const next = text.charAt(at + 1);
    const close = next === "(" ? text.indexOf(")", at + 2) : -1;
    if (close >= 0) {
      const name = text.slice(at + 2, close);
      out += lookup(name) ?? `$(${name})`;
      from = close + 1;
    } else {
      out += next === "$" ? "$" : `$${next}`;
      from = at + 2;
    }
  }
  return out + text.slice(from);
}

/** Expands a subPathExpr: there every name must be known. */
export function expandStrictly(text: string, lookup: Lookup): string {
  return expand(text, (name) => {
    const value = lookup(name);
    if (value === undefined || value === "") throw new Error(`missing value for ${name}`);
    return value;
  });
}
