/** The keys of the page. */
import { useEffect, useRef } from 'preact/hooks';

const keys: readonly (readonly [keys: string, what: string])[] = [
  ['/', 'filter'],
  ['↑ ↓  Enter', 'choose in a list, open'],
  ['j  k', 'next, previous event'],
  ['J  K', 'next, previous change of the root’s state'],
  ['Home  End', 'first, last event'],
  ['g', 'go to a revision: type its number, then Enter'],
  ['f', 'follow: stay at the newest event'],
  ['t', 'live: show what is appended as it comes'],
  ['[  ]', 'previous, next panel'],
  ['c', 'copy the permalink'],
  ['u', 'up: the list of actors'],
  ['?', 'these keys'],
];

export function KeyHelp({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (isOpen && !element.open) element.showModal();
    else if (!isOpen && element.open) element.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      class="key-help"
      aria-label="Keys"
      onClose={onClose}
      onClick={({ target, currentTarget }) => {
        if (target === currentTarget) onClose();
      }}
    >
      <div class="key-help-content">
        <h2>Keys</h2>
        <dl>
          {keys.map(([key, what]) => (
            <div key={key}>
              <dt>
                {key.split('  ').map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </dialog>
  );
}
