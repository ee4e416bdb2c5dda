import type { ApiCall } from '../api-call.ts';
import { sessionCookie, credentialsOf } from '../credentials.ts';
import { badRequest, noContent, type Reply } from '../reply.ts';

/** A form as browsers send it, or JSON: username and password for a session's cookie. */
export async function logIn(call: ApiCall): Promise<Reply> {
  const isForm = (call.header('content-type') ?? '').startsWith('application/x-www-form-urlencoded');
  const form = isForm ? new URLSearchParams(call.bytes.toString('utf8')) : null;
  const username = form === null ? call.body['username'] : form.get('username');
  const password = form === null ? call.body['password'] : form.get('password');
  if (typeof username !== 'string' || typeof password !== 'string') throw badRequest('username and password are missing');
  const { login } = call.services;
  const user = await login.authenticate(username, password, call.peerAddress, false);
  const token = login.sessions.begin(user.name, performance.now());
  return { status: 200, json: 'ok', headers: { 'set-cookie': cookie(call, token, login.sessions.sessionSeconds) } };
}

export function logOut(call: ApiCall): Reply {
  const credentials = credentialsOf({ cookie: call.header('cookie') ?? undefined });
  if (credentials.kind === 'session') call.services.login.sessions.end(credentials.token);
  return { ...noContent, headers: { 'set-cookie': cookie(call, '', 0) } };
}

function cookie(call: ApiCall, token: string, ageSeconds: number): string {
  const path = call.services.settings.management.pathPrefix === '' ? '/' : call.services.settings.management.pathPrefix;
  return `${sessionCookie}=${token}; Path=${path}; Max-Age=${ageSeconds}; HttpOnly; SameSite=Strict${call.isTls ? '; Secure' : ''}`;
}
