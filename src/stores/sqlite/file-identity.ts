/**
 * Whether the path of a log still leads to the file that was opened. Owns the comparison and the error; when to compare
 * is decided by those who call.
 *
 * FI1  A file that was found deleted, moved away or replaced stays lost, also when something is put back at its path:
 *      another host may have begun a new log there.
 * FI2  What cannot be looked at (no permission, an I/O error) proves nothing: only a path that leads nowhere, or to
 *      another device and inode, is a loss.
 */
import { statSync } from 'node:fs';
import { LogUnavailableError } from '../../errors.ts';

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export class FileIdentity {
  readonly #file: string;
  readonly #log: string;
  readonly #opened: Identity | undefined;
  #lost: LogUnavailableError | undefined;

  /** Remembers which file is at this absolute path now. @throws LogUnavailableError when there is none */
  constructor(file: string, log: string) {
    this.#file = file;
    this.#log = log;
    this.#opened = lookAt(file, undefined);
    this.compare();
  }

  /** Whether the loss of the file was noticed. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** Looks at the path. @throws LogUnavailableError when the file is lost; from then on also from {@link ensureKept} */
  compare(): void {
    this.ensureKept();
    const found = lookAt(this.#file, this.#opened);
    if (found && found.dev === this.#opened?.dev && found.ino === this.#opened.ino) return;
    const happened = found ? 'was replaced by another file' : 'was deleted or moved';
    this.#lost = new LogUnavailableError(
      `${this.#log} has lost its file: '${this.#file}' ${happened} while the log was open. Nothing more is appended, because nobody would find it again. ` +
        'Until this log is closed, what was written can still be read through it. Stop this host, put the file or a backup back, and open the log again.',
      false,
    );
    throw this.#lost;
  }

  /** Does not look. @throws LogUnavailableError when the loss was noticed before */
  ensureKept(): void {
    if (this.#lost) throw this.#lost;
  }
}

/** The file at a path, undefined when there is none; `unknown` when the system does not tell (FI2). */
function lookAt(file: string, unknown: Identity | undefined): Identity | undefined {
  try {
    // As bigint: on Windows an inode does not fit a number.
    return statSync(file, { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : unknown;
  }
}
