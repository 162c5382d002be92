/**
 * Other pasts: asked in memory, or forked for good. Owns the checks of what the page sends.
 *
 * PS1  Nothing is written but by a fork, and that only where the inspector was started with leave to write.
 * PS2  No effect begins in this process: those of a fork are left to the next host, as not begun.
 */
import { InvalidArgumentError } from '../errors.ts';
import { checkOptions } from '../runtime/runtime-options.ts';
import { Runtime } from '../runtime/runtime.ts';
import type { WhatIf, WhatIfOptions } from '../replay/past-edit.ts';
import { forkEdit } from '../replay/past-edits.ts';
import { whatIf } from '../replay/what-if.ts';
import type { ForkRequest } from './api.ts';
import { Refusal } from './refusal.ts';
import type { InspectorOptions } from './inspector-options.ts';

export async function answerPast(stream: string, body: unknown, options: InspectorOptions): Promise<WhatIf> {
  const { edits, stubs, until } = objectIn(body, 'what-if') as Partial<WhatIfOptions>;
  const { log, machines = {}, upcasters, payloads = 'full' } = options;
  if (payloads !== 'full') {
    throw new Refusal(
      403,
      'REWAKE_PAYLOADS_HIDDEN',
      'Payloads are hidden, and another past is made of them. Start the inspector with --payloads full.',
    );
  }
  return whatIf(log, stream, {
    edits: edits ?? [],
    ...(stubs && { stubs }),
    ...(until && { until }),
    machines,
    ...(upcasters && { upcasters }),
  });
}

/** PS1, PS2. */
export async function forkFor(
  stream: string,
  body: unknown,
  options: InspectorOptions,
): Promise<{ readonly stream: string }> {
  const { log, machines = {}, upcasters, allowWrite = false, clock } = options;
  if (!allowWrite) {
    throw new Refusal(
      403,
      'REWAKE_READ_ONLY',
      'The inspector only reads. Start it with --allow-write to fork, or fork with the command line.',
    );
  }
  const { at, id, edits = [] } = objectIn(body, 'fork') as Partial<ForkRequest>;
  if (typeof at !== 'number' || typeof id !== 'string') {
    throw InvalidArgumentError.of('fork', "a revision 'at' and an 'id'", JSON.stringify(body));
  }
  // Its effects are the next host's: none runs in the inspector.
  await using runtime = new Runtime(
    checkOptions({
      ...{ log, machines, resume: false, keepLogOpen: true },
      ...(upcasters && { upcasters }),
      ...(clock && { clock }),
    }),
    { writesOnly: true },
  );
  await runtime.open();
  const isEdited = !Array.isArray(edits) || edits.length > 0;
  const edit = isEdited ? { edit: await forkEdit(log, stream, at, edits) } : {};
  const fork = await runtime.fork(stream, { at, id, ...edit });
  return { stream: fork.stream };
}

function objectIn(body: unknown, what: string): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw InvalidArgumentError.of(what, 'an object', body);
}
