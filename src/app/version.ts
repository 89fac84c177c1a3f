/** The product's version, as package.json has it (the bundle carries it along). */
import manifest from "../../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
