/**
 * Paths in fields: relative ones that stay inside.
 * Follows kubernetes pkg/apis/core/validation (validateLocalDescendingPath, ValidateLocalNonReservedPath).
 */
import { invalidValue } from "../../field-error.ts";
import type { Errors } from "../../validation/fields.ts";

export const hasBacksteps = (path: string): boolean => path.split("/").includes("..");

export function validateNoBacksteps(out: Errors, field: string, path: string): void {
  if (hasBacksteps(path)) out.push(invalidValue(field, path, "must not contain '..'"));
}

/** Relative, without `..`. */
export function validateDescendingPath(out: Errors, field: string, path: string): void {
  if (path.startsWith("/")) out.push(invalidValue(field, path, "must be a relative path"));
  validateNoBacksteps(out, field, path);
}

/** Relative, without `..`, and not beginning with two dots either (the kubelet's own names do). */
export function validateLocalPath(out: Errors, field: string, path: string): void {
  validateDescendingPath(out, field, path);
  if (path.startsWith("..") && !path.startsWith("../")) out.push(invalidValue(field, path, "must not start with '..'"));
}
