/** Where things lie in the runtime's state directory. All of it can be found again from names alone. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

export class Layout {
  readonly state: string;

  constructor(state: string) {
    this.state = state;
  }

  /** Makes the fixed directories. */
  create(): void {
    for (const name of ["record", "output", "container", "sandbox", "layer", "root", "base"]) mkdirSync(join(this.state, name), { recursive: true, mode: 0o711 });
  }

  /** One file per container that its shim appends to: watched as one directory. */
  get records(): string {
    return join(this.state, "record");
  }
  /** One file per running container with what it has written: watched as one directory. */
  get outputs(): string {
    return join(this.state, "output");
  }
  /** The lowest layer of every root: mount points that an image may lack. */
  get skeleton(): string {
    return join(this.state, "skeleton");
  }
  /** The topmost layer of every root: /dev. */
  get devices(): string {
    return join(this.state, "devices");
  }
  /** Where a container's root is put together, in its own mount namespace: the same place for all. */
  get root(): string {
    return join(this.state, "root");
  }
  /** As `root`, under a root that is to be read-only. */
  get base(): string {
    return join(this.state, "base");
  }
  record(id: string): string {
    return join(this.records, id);
  }
  output(id: string): string {
    return join(this.outputs, id);
  }
  /** Standard error's. No id ends like this: what is behind its last dot is a number. */
  errors(id: string): string {
    return join(this.outputs, `${id}.e`);
  }
  container(id: string): string {
    return join(this.state, "container", id);
  }
  sandbox(id: string): string {
    return join(this.state, "sandbox", id);
  }

  /**
   * A layer's short name for overlayfs, relative to a container's directory: all options of a mount together may take one page.
   */
  layerLink(layer: string): string {
    const name = createHash("sha256").update(layer).digest("hex").slice(0, 12);
    const link = join(this.state, "layer", name);
    if (!existsSync(link)) symlinkSync(layer, link);
    return `../../layer/${name}`;
  }
}

/** A container's id: the pod, the container's name and the attempt, so that the same attempt has the same directory always. */
export const containerId = (podUid: string, name: string, attempt: number): string => `${podUid}.${name}.${attempt}`;
