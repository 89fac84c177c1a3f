/**
 * The shell scripts that run containers, as text: they are written into the state directory at every open, so the bundle needs no files.
 *
 * launcher: one long-lived shell beside the server. Reads requests (lines of shell) from its standard input and forks; ends at end of file.
 * shim:     one per container, outlives everybody. It sits in the container's mount namespace and in the machine's pid namespace,
 *           mounts, moves the root (pivot_root), and writes what happened into `record/ID`.
 * init:     (part of the shim's text) becomes the container's process. It is loaded from the machine's root, already with the container's rights, waits until the
 *           shim has put the container's root under it, and then executes the command, which is the first file it opens there.
 *
 * File descriptors: 1, 2 and (shim) 5, 6 output pipes, 3/4 "go", (init) 4 the start file, 7 record, 8/9 report. An empty here-document is an anonymous pipe that /proc
 * opens for writing: no mkfifo, no names. `cat` drains each output pipe into a file, so that /dev/stdout can be opened and truncated in the
 * container without harm, and holds the report pipe open: end of file there means that every byte of output is in the file.
 * Of these descriptors the container has 1 and 2 only.
 */
import { quote } from "./shell.ts";

export interface Machine {
  /** The shell that runs the scripts, and env(1) with the option that gives background jobs their SIGINT and SIGQUIT back. */
  readonly shell: string;
  readonly env: readonly string[];
  readonly pivotRoot: string;
  /** umount as it is called when the machine's root lies under /dev: its loader and libraries come from there too. */
  readonly umountFromDev: readonly string[];
}

export function scripts(machine: Machine): Readonly<Record<"launcher.sh" | "shim.sh", string>> {
  const shell = quote(machine.shell);
  return {
    "launcher.sh": LAUNCHER.replaceAll("@SHELL@", shell),
    "shim.sh": SHIM.replaceAll("@INIT@", quote(INIT)).replaceAll("@SHELL@", shell).replaceAll("@PIVOT_ROOT@", quote(machine.pivotRoot)).replaceAll("@UMOUNT@", machine.umountFromDev.map(quote).join(" ")),
  };
}

const LAUNCHER = `
start() {
  (
    exec 7>>"record/$1"
    . "container/$1/start"
    if [ -n "$stdin" ]; then
      mkfifo "container/$1/stdin"
      if [ -n "$owner" ]; then chown "$owner" "container/$1/stdin"; fi
      sleep 2000000000 <>"container/$1/stdin" >/dev/null 7>&- &
      echo $! >"container/$1/stdin-open"
    fi
    exec 4<<EOF
EOF
    exec 5>/proc/self/fd/4
    exec 3<<EOF
EOF
    exec 6>/proc/self/fd/3
    exec 8<<EOF
EOF
    exec 9>/proc/self/fd/8
    cat <&4 >>"output/$1" 3<&- 5>&- 6>&- 7>&- 8<&- &
    cat <&3 >>"output/$1.e" 4<&- 5>&- 6>&- 7>&- 8<&- &
    exec 3<&- 4<&-
    join
    exec $namespaces @SHELL@ shim.sh "$1"
  ) </dev/null 2>>errors &
}
# A pod's first process where its containers share process ids: adopts orphans and reaps them, and ends with SIGKILL. It waits for a
# program that no container is likely to look for by its name.
hold() {
  $2 @SHELL@ -c '"$1" -c "exec 3<<EOF
EOF
exec 4>/proc/self/fd/3
while :; do tee <&3 >/dev/null & wait; done" pause "$2" & echo $! >"sandbox/$2/pause"; wait' hold @SHELL@ "$1" </dev/null 2>>errors &
}
while IFS= read -r request; do
  eval "$request"
done
`;

const SHIM = `
id=$1
cd "container/$id" || exit
. ./start
exec 3<<EOF
EOF
exec 4>/proc/self/fd/3
container @INIT@ init 4<start 7>&- 8<&- 1>&5 2>&6 5>&- 6>&- <"\${stdin:-/dev/null}" &
pid=$!
if [ -n "$owner" ]; then chown "$owner" /proc/self/fd/5 /proc/self/fd/6; fi
exec 3<&- 5>&- 6>&- 9>&-
report=
arrange() {
  if ! { prepare && mount --no-canonicalize --internal-only --no-mtab --all --fstab ./fstab; }; then
    report="failed $(tail -n 1 ../../errors)"
    return 1
  fi
  read -r report <&8 && @PIVOT_ROOT@ "$root" "$root/dev" && @UMOUNT@ && cd /
}
if arrange; then
  echo "started $pid $$ $leftovers" >&7
  echo go >&4
fi
exec 4>&-
wait $pid
code=$?
# Processes that it leaves hold the output open: whoever reads the record ends them.
if [ -n "$leftovers" ]; then echo "ended $code" >&7; fi
while read -r line <&8; do
  if [ "$line" != ready ]; then report=$line; fi
done
if [ "$report" = ready ]; then report=; fi
echo "exited $code $report" >&7
`;

/** Whether the command can be executed, looked for as execvp(3) does in $path; calls `fail` with runc's words when not. */
const SEARCH = `check() {
  if [ -d "$2" ]; then fail "exec: \\"$1\\": is a directory"; fi
  if [ ! -x "$2" ]; then fail "exec: \\"$1\\": permission denied"; fi
}
search() {
  case $1 in
    */*)
      if [ ! -e "$1" ]; then fail "exec: \\"$1\\": stat $1: no such file or directory"; fi
      check "$1" "$1"
      return
    ;;
  esac
  IFS=:
  for entry in $path; do
    if [ -x "\${entry:-.}/$1" ] && [ ! -d "\${entry:-.}/$1" ]; then return; fi
  done
  fail "exec: \\"$1\\": executable file not found in \\$PATH"
}
`;

/** Needs descriptors 3, 4 and 9 as the shim gives them. */
const INIT = `
. /proc/self/fd/4
exec 4<&-
fail() {
  echo "failed $1" >&9
  exit 128
}
${SEARCH}echo ready >&9
read -r go <&3 || exit 128
exec 3<&-
umask 022
if [ -z "$stdin" ]; then exec </dev/null; fi
cd "$directory" || fail "chdir to cwd (\\"$directory\\") set in config.json failed"
eval "set -- $command"
search "$1"
trap 'echo "failed exec: \\"$1\\": exec format error or interpreter not found" >&9' EXIT
unset IFS PWD OLDPWD
environment
{ exec "$@"; } 9>&-
`;

/**
 * What `exec` runs in a container that is there already: the same last steps, from a shell that was loaded through descriptor 9, which is
 * closed before the command begins. Why there is no command to begin goes to descriptor 8. Its variables and `environment` come in front.
 */
export const EXEC = `
exec 9<&-
fail() {
  echo "$1" >&8
  exit 126
}
${SEARCH}
umask 022
cd "$directory" 2>/dev/null || fail "chdir to cwd (\\"$directory\\") failed: no such file or directory"
eval "set -- $command"
search "$1"
unset IFS PWD OLDPWD
environment
exec "$@" 8>&-
`;
