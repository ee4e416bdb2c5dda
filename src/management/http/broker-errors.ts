import { BrokerError, type BrokerErrorCode } from '../../core/broker-error.ts';
import { accessRefused, badRequest, HttpError, missing, notAuthorised } from './reply.ts';

/** The broker's refusal in the form of the HTTP API. [RabbitMQ: rabbit_mgmt_util, direct_request] */
export function httpErrorOf(error: BrokerError): HttpError {
  switch (error.code) {
    case 'ACCESS_REFUSED':
    case 'NOT_ALLOWED':
      return accessRefused();
    case 'NOT_FOUND':
      return missing(error.text);
    case 'INTERNAL_ERROR':
      return new HttpError(500, 'internal_error', error.text);
    default:
      return badRequest(error.text);
  }
}

const replyCodes: Partial<Record<BrokerErrorCode, number>> = {
  CONTENT_TOO_LARGE: 311,
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  RESOURCE_LOCKED: 405,
  PRECONDITION_FAILED: 406,
  NOT_ALLOWED: 530,
  NOT_IMPLEMENTED: 540,
  INTERNAL_ERROR: 541,
};

/** The refusal of a publish, which RabbitMQ tells as the channel error it was. */
export function publishErrorOf(error: BrokerError): HttpError {
  return badRequest(`${replyCodes[error.code] ?? 500} ${error.code} - ${error.text}`);
}

/** The refusal of a read, which RabbitMQ tells with its text. */
export function readErrorOf(error: BrokerError): HttpError {
  return error.code === 'ACCESS_REFUSED' ? notAuthorised(`ACCESS_REFUSED - ${error.text}`) : httpErrorOf(error);
}
