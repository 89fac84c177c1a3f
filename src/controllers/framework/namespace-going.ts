/** The refusals that a controller meets when the namespace that it works in is being deleted: nothing is left to be done there. */
import { isForbidden, isNotFound } from "../../api/status-error.ts";

/** The cause's reason that apiserver's namespace lifecycle admission gives. */
const TERMINATING = "NamespaceTerminating";

/** True when nothing can be created because the namespace is going or gone. */
export function isNamespaceGoing(error: unknown): boolean {
  return isNotFound(error) || (isForbidden(error) && (error.details?.causes?.some((cause) => cause.reason === TERMINATING) ?? false));
}
