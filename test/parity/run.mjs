#!/usr/bin/env node
// Plays recorded scenarios against stint: run.mjs DIRECTORY [REPORT.json] [--gates-only].
// DIRECTORY holds parity.mjs with its scenarios (and node/ beside them). Gates must pass whole; of the rest the figure is printed.
// The report is { passed, failed } over the gates.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { cpSync, existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubectlPath } from '../support/kubectl.ts';

const [given, reportFile] = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const gatesOnly = process.argv.includes('--gates-only');
const gates = JSON.parse(readFileSync(new URL('gates.json', import.meta.url), 'utf8'));
const home = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'stint-parity-'));
const env = { ...process.env, HOME: scratch, STINT_DATA_DIR: join(scratch, 'data') };
const kubectl = await kubectlPath();
const directory = workingCopy();
const totals = { passed: 0, failed: 0 };

/**
 * node/lib is a link to lib/; some ways of copying the recordings make a text file of it. Then they are copied once more, with the link (and the
 * chapter's manifests, which some scenarios read, beside them).
 */
function workingCopy() {
  const link = join(given, 'node/lib');
  if (!existsSync(link) || !lstatSync(link).isFile()) return given;
  const copy = join(scratch, 'shared/parity');
  cpSync(given, copy, { recursive: true });
  if (existsSync(join(given, '../chapter'))) cpSync(join(given, '../chapter'), join(scratch, 'shared/chapter'), { recursive: true });
  spawnSync('chmod', ['-R', 'u+w', join(scratch, 'shared')]);
  rmSync(join(copy, 'node/lib'));
  symlinkSync('../lib', join(copy, 'node/lib'));
  return copy;
}

/** Starts `stint up` and gives its kubeconfig to `use`; stops it afterwards. */
async function withServer(name, args, use) {
  const dataDir = join(scratch, name);
  const busybox = ['image', 'import', '--busybox', '/bin/busybox', '--tag', 'docker.io/library/alpine:latest', '--tag', 'docker.io/library/busybox:latest', '--data-dir', dataDir];
  if (spawnSync(join(home, 'bin/stint'), busybox, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) throw new Error('image import failed');
  const child = spawn(join(home, 'bin/stint'), ['up', '--port', '0', '--data-dir', dataDir, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('exit', (code) => reject(new Error(`stint up ended with ${code}`)));
  });
  try {
    await use(/KUBECONFIG=(\S+)/.exec(line)[1]);
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}

/** Plays a set; prints what failed, and for each gate whether it holds. */
async function play(title, kubeconfig, extra, gate) {
  const json = join(scratch, `${title.replace(' ', '-')}.json`);
  const args = [join(directory, 'parity.mjs'), '--kubeconfig', kubeconfig, '--kubectl', kubectl, '--json', json, ...extra];
  if (gatesOnly) args.push('--only', gate.join(','));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 }).catch((error) => error);
  if (!existsSync(json)) throw new Error(`${title}: the player ended without a result: ${stderr.slice(-2000)}`);
  const results = JSON.parse(readFileSync(json, 'utf8'));
  const isGate = (id) => gate.some((text) => id.includes(text));
  const gated = results.filter((r) => isGate(r.id));
  const passed = (list) => list.filter((r) => r.same).length;
  totals.passed += passed(gated);
  totals.failed += gated.length - passed(gated);
  const lines = stdout.split('\n');
  for (const r of gated.filter((g) => !g.same)) {
    const at = lines.findIndex((l) => l.includes(r.id));
    console.log(lines.slice(at, at + 10).join('\n'));
  }
  console.log(`${title}: gates ${passed(gated)} of ${gated.length}; whole set ${passed(results)} passed ${results.length - passed(results)} failed`);
}

try {
  // Both at a time: their scenarios wait for most of theirs.
  await Promise.all([
    withServer('control-plane', ['--disable', 'agent,scheduler'], (kubeconfig) => play('control plane', kubeconfig, ['--jobs', '4'], gates.controlPlane)),
    withServer('node', ['--userland', 'image'], (kubeconfig) => play('node', kubeconfig, ['--dir', join(directory, 'node'), '--jobs', '8'], gates.node)),
  ]);
} catch (error) {
  console.error(`parity: ${error.message}`);
  totals.failed++;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (reportFile) writeFileSync(reportFile, JSON.stringify(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
