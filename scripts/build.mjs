#!/usr/bin/env node
// Builds dist/ from src/: one bundle of ES modules (rarely needed parts in files of their own, loaded when they are) and the data beside it.
// Runs under any Node >= 20, because `npm ci` does.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { build } from 'esbuild';
import './generate-types.mjs';

const home = fileURLToPath(new URL('..', import.meta.url));
const dist = join(home, 'dist');
/** Data as a text that is parsed: V8 reads it several times faster than the same as JavaScript. */
const dataAsText = {
  name: 'data-as-text',
  setup(build) {
    build.onLoad({ filter: /\/src\/api\/data\/[^/]+\.json$/ }, ({ path }) => ({
      contents: `export default JSON.parse(${JSON.stringify(JSON.stringify(JSON.parse(readFileSync(path, 'utf8'))))})`,
      loader: 'js',
    }));
  },
};

/**
 * Parts of Node that are loaded when something of them is first used. As modules of ECMAScript they are loaded at the start, and with them all that
 * their lazy members would load: the whole of fetch behind http, WebCrypto behind crypto. That is half of the time from nothing to a first line.
 */
const LAZY_PARTS = /^(node:)?(http|https|http2|crypto)$/;
const lazyParts = {
  name: 'lazy-parts',
  setup(build) {
    build.onResolve({ filter: LAZY_PARTS }, ({ path, kind }) => (kind === 'dynamic-import' ? undefined : { path: path.replace('node:', ''), namespace: 'lazy-part' }));
    build.onLoad({ filter: /.*/, namespace: 'lazy-part' }, ({ path }) => ({
      contents: `for (const name of ${JSON.stringify(Object.keys(process.getBuiltinModule(path)))}) Object.defineProperty(exports, name, { enumerable: true, get: () => process.getBuiltinModule(${JSON.stringify(path)})[name] });`,
      loader: 'js',
    }));
  },
};

const fresh = join(home, 'dist.new');
rmSync(fresh, { recursive: true, force: true });

await build({
  entryPoints: { stint: join(home, 'src/cli/stint.ts') },
  outdir: fresh,
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
  plugins: [dataAsText, lazyParts],
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  // Some dependencies are CommonJS and ask for Node's own modules with require.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});

install();

/** Puts the new files beside the old ones, the entry last: a stint that runs from here goes on loading the parts that it knows. Those of yesterday go. */
function install() {
  const chunks = join(dist, 'chunks');
  mkdirSync(chunks, { recursive: true });
  const made = new Set(readdirSync(join(fresh, 'chunks')));
  for (const name of made) renameSync(join(fresh, 'chunks', name), join(chunks, name));
  renameSync(join(fresh, 'stint.mjs'), join(dist, 'stint.mjs'));
  rmSync(fresh, { recursive: true });
  for (const name of readdirSync(chunks)) {
    if (!made.has(name) && Date.now() - statSync(join(chunks, name)).mtimeMs > 86_400_000) rmSync(join(chunks, name));
  }
}

const descriptions = join(home, 'scripts/generate-descriptions.mjs');
if (existsSync(descriptions)) execFileSync(process.execPath, [descriptions], { stdio: 'inherit', cwd: home });
