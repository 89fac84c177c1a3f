#!/usr/bin/env node
// Builds dist/ from src/: one bundle of ES modules (rarely needed parts in files of their own, loaded when they are) and the data beside it.
// Runs under any Node >= 20, because `npm ci` does.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { build } from 'esbuild';

const home = fileURLToPath(new URL('..', import.meta.url));
const dist = join(home, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

await build({
  entryPoints: { stint: join(home, 'src/cli/stint.ts') },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // Its build for browsers is the one that is made of ES modules: what is not used stays out.
  alias: { yaml: join(home, 'node_modules/yaml/browser/index.js') },
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  // Some dependencies are CommonJS and ask for Node's own modules with require.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});

const descriptions = join(home, 'scripts/generate-descriptions.mjs');
if (existsSync(descriptions)) execFileSync(process.execPath, [descriptions], { stdio: 'inherit', cwd: home });
