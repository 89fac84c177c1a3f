/** The product's version, as package.json has it (the bundle carries it along). */
import manifest from "../../package.json" with { type: "json" };

export const VERSION: string = manifest.version;

/** The Kubernetes whose behaviour this is. */
export const KUBERNETES_VERSION = "v1.36.2";
