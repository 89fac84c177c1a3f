/**
 * Textual mutants of a source file: one small change each, of the kinds that a slip of the hand makes. Comments, imports, types and texts are left alone.
 * Pure: knows no files.
 */

export interface Mutant {
  /** From 1. */
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly source: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly to: string;
}

const RULES: readonly Rule[] = [
  { pattern: / === /g, to: " !== " }, { pattern: / !== /g, to: " === " },
  { pattern: / && /g, to: " || " }, { pattern: / \|\| /g, to: " && " },
  { pattern: / >= /g, to: " > " }, { pattern: / > /g, to: " >= " }, { pattern: / <= /g, to: " < " }, { pattern: / < /g, to: " <= " },
  { pattern: / \+ /g, to: " - " }, { pattern: / - /g, to: " + " }, { pattern: / \* /g, to: " + " },
  { pattern: /\btrue\b/g, to: "false" }, { pattern: /\bfalse\b/g, to: "true" },
  { pattern: /(?<=[( ])!(?=[\w(])/g, to: "" },
  { pattern: /\b0\b(?=[,;)\] ])/g, to: "1" }, { pattern: /\b1\b(?=[,;)\] ])/g, to: "2" },
  { pattern: /Math\.min\(/g, to: "Math.max(" }, { pattern: /Math\.max\(/g, to: "Math.min(" },
  { pattern: /\.some\(/g, to: ".every(" }, { pattern: /\.every\(/g, to: ".some(" },
  { pattern: /\bbreak;/g, to: "continue;" }, { pattern: /\bcontinue;/g, to: "break;" },
];

const UNTOUCHED = /^\s*(?:\/\/|\/?\*|import |export type |export interface |type |interface |readonly |\||\})/;

/** Places inside of quotes: `"…"`, and the texts of templates as far as they stand on one line. */
function quoted(line: string): (index: number) => boolean {
  const ranges = [...line.matchAll(/"(?:[^"\\]|\\.)*"|\/\*.*?\*\/|\/\/.*$/g)].map((m) => [m.index, m.index + m[0].length] as const);
  return (index) => ranges.some(([from, to]) => index > from && index < to);
}

/** Every mutant of the source, top to bottom. */
export function mutantsOf(source: string): Mutant[] {
  const lines = source.split("\n");
  const mutants: Mutant[] = [];
  for (const [at, text] of lines.entries()) {
    if (UNTOUCHED.test(text)) continue;
    const isQuoted = quoted(text);
    // An annotation of a function's types is no code: `=>` of types, generics.
    for (const { pattern, to } of RULES) {
      for (const match of text.matchAll(pattern)) {
        if (isQuoted(match.index)) continue;
        const changed = text.slice(0, match.index) + to + text.slice(match.index + match[0].length);
        mutants.push({ line: at + 1, from: match[0].trim(), to: to.trim(), source: lines.with(at, changed).join("\n") });
      }
    }
  }
  return mutants;
}
