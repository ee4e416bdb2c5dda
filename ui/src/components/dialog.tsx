// Dialogs: the browser's own, which keep the focus and close with Escape.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { messageOf } from '../model/api.ts';
import { refresh } from '../model/live.ts';
import { say } from '../model/toasts.ts';
import { Problem } from './basics.tsx';
import { Icon } from './icons.tsx';

export function Dialog(props: {
  readonly title: string;
  readonly isWide?: boolean;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    const opener = document.activeElement;
    element.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog ref={element} class={props.isWide === true ? 'wide' : ''} aria-labelledby={title} onClose={props.onClose}>
      <div class="dialog-head">
        <h2 id={title}>{props.title}</h2>
        <button type="button" class="button plain" aria-label="Close" onClick={() => element.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
}

/** A form in a dialog: does what it is for, says so, and closes; or shows why not. */
export function FormDialog(props: {
  readonly title: string;
  readonly action: string;
  readonly isDanger?: boolean;
  readonly isReady?: boolean;
  readonly isWide?: boolean;
  readonly done: string;
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [problem, setProblem] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    setProblem('');
    try {
      await props.run();
      say('good', props.done);
      props.onClose();
      refresh();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose} {...(props.isWide === undefined ? {} : { isWide: props.isWide })}>
      <form
        class="form"
        onSubmit={event => {
          event.preventDefault();
          if (props.isReady !== false && !isBusy) void submit();
        }}
      >
        {props.children}
        <Problem error={problem} />
        <div class="dialog-foot">
          <button type="button" class="button" onClick={props.onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={`button primary ${props.isDanger === true ? 'danger' : ''}`}
            disabled={props.isReady === false || isBusy}
          >
            {props.action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What cannot be undone wants the name typed. */
export function ConfirmDialog(props: {
  readonly title: string;
  readonly text: ComponentChildren;
  /** To be typed; null asks for no more than the button. */
  readonly name: string | null;
  readonly action: string;
  readonly done: string;
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
}): JSX.Element {
  const [typed, setTyped] = useState('');
  const isReady = props.name === null || typed === props.name;
  // A name with line breaks or one that cannot be typed is confirmed by the word instead.
  const wanted = props.name;
  const isTypable = wanted === null || (wanted !== '' && !/\p{Cc}/u.test(wanted));
  const word = isTypable ? wanted : 'confirm';
  const input = useId();
  return (
    <FormDialog
      title={props.title}
      action={props.action}
      isDanger
      isReady={word === wanted ? isReady : typed === word}
      done={props.done}
      run={props.run}
      onClose={props.onClose}
    >
      <div>{props.text}</div>
      {word === null ? null : (
        <div class="field">
          <label for={input}>
            Type <code class="name">{word}</code> to confirm
          </label>
          <input
            id={input}
            value={typed}
            autocomplete="off"
            spellcheck={false}
            autofocus
            onInput={event => setTyped(event.currentTarget.value)}
          />
        </div>
      )}
    </FormDialog>
  );
}

/** Runs something at once, and says what became of it. */
export async function act(done: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
    say('good', done);
  } catch (error) {
    say('bad', messageOf(error));
  }
  refresh();
}
