/** What a person writes of another past: a file of edits, and answers of effects. */
import { expect, it } from 'vitest';
import { editsOf } from '../../src/cli/edit-file.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { stubsOf } from '../../src/cli/what-if-text.ts';

it('a file is a list of edits, or one of them', () => {
  const drop = { edit: 'drop', revision: 4 };
  expect(editsOf(drop, 'a.json')).toEqual([drop]);
  const edits = [
    drop,
    { edit: 'move', revision: 4, after: 0 },
    { edit: 'insert', after: 2, event: { type: 'PAY' }, to: '/pay:1' },
    { edit: 'replace', revision: 0, with: { input: null } },
  ];
  expect(editsOf(edits, 'a.json')).toEqual(edits);
});

it('an error is one, with its name and what else is in it; what is none is thrown as it is', () => {
  const errorIn = (error: string | { readonly [key: string]: string }) => {
    const [edit] = editsOf({ edit: 'replace', revision: 4, with: { error } }, 'a.json');
    return (edit as unknown as { readonly with: { readonly error: Error } }).with.error;
  };
  const error = errorIn({ message: 'no', name: 'Declined', code: 'E1' });
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.message, (error as Error & { readonly code: string }).code]).toEqual([
    'Declined',
    'no',
    'E1',
  ]);
  expect(errorIn('no')).toBe('no');
});

it.each([
  [{ edit: 'drop' }, 'the revision to leave out'],
  [{ edit: 'drop', revision: -1 }, 'the revision to leave out'],
  [{ edit: 'move', revision: 1 }, 'a revision, and after which one it comes'],
  [{ edit: 'insert', after: 1, event: { kind: 'PAY' } }, 'an event with a type'],
  [{ edit: 'replace', revision: 1, with: {} }, 'in "with" one of input, event, output, error, value'],
  [{ edit: 'replace', revision: 1, with: { output: 1, error: 2 } }, 'in "with" one of'],
  [{ edit: 'replace', revision: 1, with: { event: 'PAY' } }, 'in "with" one of'],
  ['drop', '"edit" to be one of drop, replace, insert, move'],
])('refuses %j', (edit, expected) => {
  expect(() => editsOf([{ edit: 'drop', revision: 0 }, edit], 'a.json')).toThrow(UsageError);
  expect(() => editsOf([{ edit: 'drop', revision: 0 }, edit], 'a.json')).toThrow(expected);
});

it('an answer is a name and JSON', () => {
  expect(stubsOf(['charge="a=b"', 'ship={"parcel":7}'])).toEqual({
    charge: { output: 'a=b' },
    ship: { output: { parcel: 7 } },
  });
  for (const wrong of ['charge', '="a"', 'charge=a']) expect(() => stubsOf([wrong])).toThrow(UsageError);
});
