/** One edit of the past while it is typed: its words, its fields, and what is missing. */
import { draftWords, editOf, type Draft } from './what-if-drafts.ts';

export interface DraftEditorProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly onRemove: () => void;
}

export function DraftEditor({ draft, onChange, onRemove }: DraftEditorProps) {
  const judged = editOf(draft);
  const complaint = 'complaint' in judged ? judged.complaint : undefined;
  const words = draftWords(draft);
  const rows = Math.min(14, Math.max(2, draft.text.split('\n').length));
  return (
    <li class="draft">
      <header>
        <span>{words}</span>
        <button type="button" class="button plain" aria-label={`Remove: ${words}`} onClick={onRemove}>
          ✕
        </button>
      </header>
      {draft.edit === 'replace' || draft.edit === 'insert' ? (
        <textarea
          class="field mono"
          rows={rows}
          spellcheck={false}
          aria-label={draft.edit === 'insert' ? 'Event, as JSON' : `${draft.part}, as JSON`}
          aria-invalid={complaint !== undefined}
          value={draft.text}
          onInput={(event) => onChange({ ...draft, text: event.currentTarget.value })}
        />
      ) : null}
      {draft.edit === 'insert' ? (
        <label>
          to{' '}
          <input
            class="field mono"
            value={draft.to}
            onInput={(event) => onChange({ ...draft, to: event.currentTarget.value })}
          />
        </label>
      ) : null}
      {draft.edit === 'move' ? (
        <label>
          behind revision{' '}
          <input
            class="field number"
            inputMode="numeric"
            aria-invalid={complaint !== undefined}
            value={draft.after}
            onInput={(event) => onChange({ ...draft, after: event.currentTarget.value })}
          />
        </label>
      ) : null}
      {complaint === undefined ? null : (
        <p class="bad draft-complaint" role="status">
          {complaint}
        </p>
      )}
    </li>
  );
}
