/**
 * `rewake inspect` as a person runs it: the built command, in a process of its own. Owns starting it, finding the address that it
 * prints, and ending it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The project, seen from the source and from the compiled file. */
const root = new URL(import.meta.url.includes('/dist/') ? '../../' : '../', import.meta.url);

/** The built command. */
export const rewakeCommand = fileURLToPath(new URL('dist/src/cli/main.js', root));

export interface InspectorProcess {
  /** With the token in it. */
  readonly url: string;
  end(): Promise<void>;
}

/** Starts it; resolves when it has printed its address. @throws Error with what it said, when it ends without one */
export async function startInspector(log: string, flags: readonly string[] = []): Promise<InspectorProcess> {
  const child = spawn(process.execPath, [rewakeCommand, 'inspect', log, '--port', '0', '--no-open', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  const said: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const [found] = /http:\/\/\S+/.exec(line) ?? [];
        if (found) resolve(found);
      });
    }
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`rewake inspect ended with ${signal ?? code} and without an address:\n${said.join('\n')}`)),
    );
  });
  return {
    url,
    async end() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
