/**
 * The guide to errors of a resume is true: each message in it is one that somebody gets, and each error that somebody can get
 * is in it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../house/source-tree.ts';
import { resumeErrors } from './resume-errors.ts';

const page = readFileSync(`${projectRoot}docs/how-to/troubleshoot-a-resume.md`, 'utf8');
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** The messages of the page, by the headings of their sections. */
const messages = new Map(
  [...page.matchAll(/^### (.+)\n+```text\n([\s\S]*?)^```$/gm)].map(([, title, text]) => [title!, oneLine(text!)]),
);

/** Whether a message is what the page says; `…` in it stands for any text. */
function isTold(told: string, message: string): boolean {
  const parts = told.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(oneLine(message));
}

describe('the guide to errors of a resume', () => {
  it('has a section for each error that can be met, and no other one', () => {
    expect([...messages.keys()]).toEqual(Object.keys(resumeErrors));
    expect([...page.matchAll(/^### (.+)$/gm)].map(([, title]) => title)).toEqual([...messages.keys()]);
  });

  it.each(Object.entries(resumeErrors))('has the message of %s as it is', async (title, produce) => {
    const error = await produce();
    expect(error.name).toBe(title.split(':')[0]);
    const told = messages.get(title)!;
    if (!isTold(told, error.message)) expect(oneLine(error.message)).toBe(told);
  });

  it.each(Object.keys(resumeErrors))('says what %s means and what to do', (title) => {
    const section = page.slice(page.indexOf(`### ${title}\n`) + 4).split(/^##/m)[0]!;
    expect(section).toMatch(/^- \*\*Means\*\* [\s\S]+^- \*\*Do\*\* /m);
  });

  it('names every error class of the runtime', () => {
    const source = readFileSync(`${projectRoot}src/errors.ts`, 'utf8');
    const classes = [...source.matchAll(/^export class (\w+)/gm)].map(([, name]) => name!);
    const named = new Set([...page.matchAll(/^### (\w+)|`(\w+Error)`/gm)].map(([, title, name]) => title ?? name));
    expect(classes.filter((name) => !named.has(name))).toEqual([]);
  });
});
