/** What upstream answers with 500, and so does stint; every other 500 is a mistake. */
const UPSTREAM_500: readonly RegExp[] = [
  // metadata.resourceVersion of an update that is no number (storage.APIObjectVersioner).
  /strconv\.ParseUint: parsing /,
  // An applied configuration with unknown fields or of wrong types (structuredmerge.go).
  /failed to (create typed patch object|convert new (typed )?object|create manager for existing fields)/,
  // Directives of strategic merge patches (strategicpatch.go; interpretStrategicMergePatchError knows only some of its errors).
  /unknown patch type: /, /unable to find api field in struct /, /does not contain declared merge key: /, /list element types are not identical: /, /merging lists cannot yet be specified in the patch/,
  // Addresses below /watch that name nothing (requestinfo.go).
  /failed to create RequestInfo: /,
  // A create with a version (etcd3/store.go).
  /resourceVersion should not be set on objects to be created/,
];

/** Whether upstream gives this message with a 500. */
export const isUpstream500 = (message: string): boolean => UPSTREAM_500.some((known) => known.test(message));
