import { signal } from '@preact/signals';

export interface Toast {
  readonly id: number;
  readonly kind: 'good' | 'bad';
  readonly text: string;
}

export const toasts = signal<readonly Toast[]>([]);
const shownMax = 4;
const goodMillis = 5000;
let lastId = 0;

/** Says what became of an action. What went wrong stays until it is read. */
export function say(kind: Toast['kind'], text: string): void {
  const id = ++lastId;
  toasts.value = [...toasts.value, { id, kind, text }].slice(-shownMax);
  if (kind === 'good') setTimeout(() => dismiss(id), goodMillis);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter(toast => toast.id !== id);
}
