// What a program or a package says its version is; nothing where it is not installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export function versionOfProgram(command, args) {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return error ? undefined : `${stdout}${stderr}`.match(/\d+\.\d[^\s,]*/)?.[0] ?? 'unknown';
}

// Of packages as `script` finds them.
export function packagesOf(script) {
  const require = createRequire(script);
  return (name) => {
    try {
      return JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')).version;
    } catch {
      return undefined;
    }
  };
}
