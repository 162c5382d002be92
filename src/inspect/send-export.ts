/**
 * A stream as a file to take home. Owns how it is sent; the format is export-format.ts's.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { NotFoundError } from '../errors.ts';
import { exportLines } from '../replay/export-format.ts';
import type { EventLog } from '../log/event-log.ts';
import type { PayloadMode } from '../replay/mask.ts';

/** @throws NotFoundError */
export async function sendExport(
  log: EventLog,
  stream: string,
  {
    response,
    signal,
    payloads,
  }: { readonly response: ServerResponse; readonly signal: AbortSignal; readonly payloads: PayloadMode },
): Promise<void> {
  if ((await log.head(stream)).state === 'absent') throw new NotFoundError(stream);
  response.writeHead(200, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': `attachment; filename="stream.jsonl"; filename*=UTF-8''${encodeURIComponent(stream)}.jsonl`,
  });
  for await (const line of exportLines(log, { streams: new Set([stream]), payloads, signal })) {
    if (!response.write(`${line}\n`)) await once(response, 'drain', { signal });
  }
  response.end();
}
