import { compilePattern } from '../../core/access/pattern.ts';
import type { ManagementSettings } from '../settings.ts';
import { badRequest } from './reply.ts';

/** Refuses a password that the configured rule does not allow. [rabbitmq.conf: credential_validator.*] */
export function checkPassword(rule: ManagementSettings['credentialValidator'], user: string, password: string): void {
  if (rule.kind === 'min_password_length' && password.length < rule.lengthMin) {
    throw badRequest(`minimum required password length is ${rule.lengthMin}`);
  }
  if (rule.kind === 'password_regexp' && rule.pattern !== null && !compilePattern(rule.pattern).test(password)) {
    throw badRequest(`provided password of user '${user}' does not match the validator regular expression`);
  }
}
