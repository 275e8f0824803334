import { connectSpoke, type SpokeHandle, type SpokeOperation, type SpokeState } from "@alkdev/spoke";
import { AllowedPaths } from "./allowed_paths.ts";
import { bashOperations } from "./bash_operations.ts";
import { fsOperations } from "./fs_operations.ts";
import { gitOperations } from "./git_operations.ts";
import { httpOperations } from "./http_operations.ts";

export interface DevSpokeOptions {
  /** Of the hub. */
  readonly url: string;
  /** With the scope `spoke:connect`. */
  readonly key: string;
  /** Directories that may be read and written. */
  readonly roots: readonly string[];
  /** Programs that `bash.run` may start, by exact name. */
  readonly commands: readonly string[];
  /** Hosts that `http.fetch` may reach, as `host` or `host:port`. */
  readonly hosts: readonly string[];
  readonly name: string;
  /** Beside `spoke`, which is its name: what is to be carried out by this very spoke asks for that label. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly onState?: (state: SpokeState, error?: Error) => void;
}

/** The operations of the reference spoke. @throws {Error} when a root is no directory */
export async function devOperations(
  { roots, commands, hosts }: Pick<DevSpokeOptions, "roots" | "commands" | "hosts">,
): Promise<readonly SpokeOperation[]> {
  const paths = await AllowedPaths.open(roots);
  return [
    ...fsOperations(paths),
    ...gitOperations(paths),
    ...bashOperations(paths, commands),
    ...httpOperations(hosts),
  ];
}

/** Connects the reference spoke: files, git, programs and HTTP of this machine, each only as far as it is allowed. */
export async function runDevSpoke(options: DevSpokeOptions): Promise<SpokeHandle> {
  const { url, key, name, labels, onState } = options;
  return connectSpoke({
    url,
    key,
    name,
    spokeType: "dev-env",
    operations: await devOperations(options),
    hostInfo: { os: Deno.build.os, arch: Deno.build.arch, runtime: `deno ${Deno.version.deno}` },
    labels: { spoke: name, ...labels },
    ...(onState === undefined ? {} : { onState }),
  });
}
