/** How an answer leaves that is JSON. */
import type { ServerResponse } from 'node:http';

export function sendJsonText(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(text);
}
