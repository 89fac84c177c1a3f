/** What /version says: the Kubernetes that this server behaves like, and the build that it is. */
export interface VersionInfo {
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly buildDate: string;
}

const KUBERNETES = { major: "1", minor: "36" } as const;

export const versionBody = ({ gitVersion, gitCommit, buildDate }: VersionInfo): object => ({
  ...KUBERNETES,
  emulationMajor: KUBERNETES.major,
  emulationMinor: KUBERNETES.minor,
  minCompatibilityMajor: KUBERNETES.major,
  minCompatibilityMinor: "35",
  gitVersion,
  gitCommit,
  gitTreeState: "clean",
  buildDate,
  goVersion: `node${process.versions.node}`,
  compiler: "node",
  platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
});
