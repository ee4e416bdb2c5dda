import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Problem } from '../components/basics.tsx';
import { TextField } from '../components/fields.tsx';
import { Logo } from '../components/icons.tsx';
import { api, ApiError, messageOf } from '../model/api.ts';
import { me } from '../model/session.ts';

export function LoginPage(): JSX.Element {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const logIn = async (): Promise<void> => {
    setIsBusy(true);
    setProblem('');
    try {
      await api.post('login', { username: name, password });
      const who = await api.get<{ name: string; tags: readonly string[] | string }>('whoami');
      me.value = { name: who.name, tags: typeof who.tags === 'string' ? who.tags.split(',') : who.tags };
    } catch (error) {
      setPassword('');
      setProblem(error instanceof ApiError && error.status === 401 ? refusal(error.message) : messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <main class="login">
      <form
        onSubmit={event => {
          event.preventDefault();
          if (!isBusy) void logIn();
        }}
      >
        <h1 class="brand">
          <Logo /> WarrenMQ
        </h1>
        <TextField label="User" value={name} onChange={setName} autocomplete="username" isRequired hasFocus />
        <TextField label="Password" value={password} onChange={setPassword} type="password" autocomplete="current-password" />
        <Problem error={problem} />
        <button type="submit" class="button primary" disabled={isBusy}>
          Log in
        </button>
      </form>
    </main>
  );
}

function refusal(reason: string): string {
  return reason === 'Login failed' ? 'User or password is wrong, or the user may log in from the broker’s own machine only.' : reason;
}
