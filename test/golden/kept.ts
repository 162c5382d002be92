/** The golden logs that are kept: which versions there are, and what each of them holds. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { namesIn, readRecording, type GoldenRecording } from '../../src/testing/golden/golden-files.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** The versions there are, oldest first. */
export function goldenVersions(): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

export function folderOf(version: string): string {
  return `${folder}${version}`;
}

/** Names of the logs of a version. */
export function goldenNames(version: string): string[] {
  return namesIn(folderOf(version));
}

export function readGolden(version: string, name: string): GoldenRecording {
  return readRecording(folderOf(version), name);
}
