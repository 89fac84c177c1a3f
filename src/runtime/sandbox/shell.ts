/**
 * Words for the two little languages that the runtime writes: POSIX shell and fstab(5). Pure; nothing here runs anything.
 */

/** `text` as one word of a POSIX shell, whatever is in it (NUL excepted: no argument can hold one). */
export function quote(text: string): string {
  return /^[A-Za-z0-9_\-+=:,./@%]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command line of quoted words. */
export const commandLine = (words: readonly string[]): string => words.map(quote).join(" ");

/** Names that a shell can set and export as they are. The rest (`1digit`, `with.dot`, what shells keep to themselves) needs env(1). */
export function isPlainVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_VARIABLES.has(name) && !name.startsWith("BASH");
}

const SHELL_VARIABLES = new Set(["IFS", "OPTIND", "PPID", "LINENO", "UID", "EUID", "SHELLOPTS", "GROUPS", "FUNCNAME", "DIRSTACK", "SHLVL", "RANDOM", "SECONDS", "_"]);

export interface FstabEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

const ESCAPES: Readonly<Record<string, string>> = { " ": "\\040", "\t": "\\011", "\n": "\\012", "\\": "\\134", "#": "\\043" };

const escapeField = (field: string): string => field.replace(/[ \t\n\\#]/g, (c) => ESCAPES[c] ?? c);

/** The text of a table that `mount --all --fstab` mounts line by line. */
export function fstab(entries: readonly FstabEntry[]): string {
  return entries.map((e) => `${escapeField(e.source)} ${escapeField(e.target)} ${e.type} ${escapeField(e.options.join(","))} 0 0\n`).join("");
}
