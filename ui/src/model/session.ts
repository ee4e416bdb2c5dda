// Who is logged in, and what is remembered of their choices.
import { signal } from '@preact/signals';

export interface Me {
  readonly name: string;
  readonly tags: readonly string[];
}

/** undefined: not known yet; null: nobody. */
export const me = signal<Me | null | undefined>(undefined);
/** The virtual host that lists are narrowed to; '' for all. */
export const chosenVhost = signal(stored('vhost') ?? '');
export const vhostNames = signal<readonly string[]>([]);
export const theme = signal<'system' | 'light' | 'dark'>(themeOf(stored('theme')));

/** The virtual host of pages that show one: the chosen one, or the default. */
export function shownVhost(): string {
  if (chosenVhost.value !== '') return chosenVhost.value;
  const [first = '/'] = vhostNames.value;
  return vhostNames.value.includes('/') ? '/' : first;
}

export function isLoggedOut(): void {
  me.value = null;
}

function has(...tags: string[]): boolean {
  return me.value?.tags.some(tag => tag === 'administrator' || tags.includes(tag)) ?? false;
}

export const isAdministrator = (): boolean => has();
export const isMonitor = (): boolean => has('monitoring');
export const isPolicymaker = (): boolean => has('policymaker');

export function chooseVhost(name: string): void {
  chosenVhost.value = name;
  store('vhost', name);
}

export function chooseTheme(chosen: 'system' | 'light' | 'dark'): void {
  theme.value = chosen;
  store('theme', chosen);
  applyTheme();
}

const wantsDark = matchMedia('(prefers-color-scheme: dark)');
/** The theme in effect. */
export const shownTheme = signal<'light' | 'dark'>('light');

export function applyTheme(): void {
  shownTheme.value = theme.value === 'system' ? (wantsDark.matches ? 'dark' : 'light') : theme.value;
  document.documentElement.dataset['theme'] = shownTheme.value;
}
wantsDark.addEventListener('change', applyTheme);

function themeOf(text: string | null): 'system' | 'light' | 'dark' {
  return text === 'light' || text === 'dark' ? text : 'system';
}

/** Browsers may forbid storage. */
function stored(key: string): string | null {
  try {
    return localStorage.getItem(`warren.${key}`);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(`warren.${key}`, value);
  } catch {
    // It holds for this page then.
  }
}
