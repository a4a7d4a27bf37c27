import { Problem, type SupportedWebhookEventTypes, type SystemWebhookPolicyReq, type WebhookPolicyReq, type WebhookTargetObject } from '@haven/api';
import { SYSTEM_WEBHOOK_EVENTS, WEBHOOK_EVENTS, WEBHOOK_FORMATS, type WebhookTargetType } from '@haven/execution';
import { globFault } from '@haven/policy';
import { headerFault, urlFault } from '@haven/outbound';

const LONGEST_NAME = 255;
const MOST_TARGETS = 20;
const STANDARD_FORMAT = 'Default';

/** What answers have in the place of a secret. */
export const MASK = '*****';

/** A target with its secrets in clear. */
export interface Target {
  readonly type: WebhookTargetType;
  readonly address: string;
  readonly skipCertVerify: boolean;
  readonly payloadFormat: string;
  /** Empty for none. */
  readonly authHeader: string;
  readonly secret: string;
}

export interface PolicyText {
  readonly name: string;
  readonly description: string;
  /** Of the whole installation: patterns of the names of projects; none for all. */
  readonly projects: readonly string[];
  readonly targets: readonly Target[];
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
}

/** What a policy of a project can be made of. */
export const SUPPORTED: SupportedWebhookEventTypes = {
  event_type: Object.keys(WEBHOOK_EVENTS),
  notify_type: Object.keys(WEBHOOK_FORMATS),
  payload_formats: Object.entries(WEBHOOK_FORMATS).filter(([, formats]) => formats.length > 0).map(([type, formats]) => ({ notify_type: type, formats: [...formats] })),
};

/** What a policy of the whole installation can be made of. */
export const SYSTEM_SUPPORTED: SupportedWebhookEventTypes = { ...SUPPORTED, event_type: [...SUPPORTED.event_type, ...Object.keys(SYSTEM_WEBHOOK_EVENTS)] };

/** As readPolicy, of a policy of the whole installation. */
export function readSystemPolicy({ projects = [], ...request }: SystemWebhookPolicyReq, current: readonly Target[] = []): PolicyText {
  for (const pattern of projects) {
    const fault = globFault(pattern);
    if (fault !== undefined) throw new Problem('BAD_REQUEST', `projects: "${pattern.slice(0, 64)}" cannot be used: ${fault}`);
  }
  return { ...readPolicy(request, current, SYSTEM_SUPPORTED), projects: [...new Set(projects)] };
}

/**
 * The policy that a request describes.
 *
 * @param current what it was: secrets that are masked or left out stay with the address that they were given for
 * @throws Problem BAD_REQUEST saying what to change
 */
export function readPolicy({ name = '', description = '', targets = [], event_types: events = [], enabled = true }: WebhookPolicyReq, current: readonly Target[] = [], supported = SUPPORTED): PolicyText {
  if (name.trim() === '' || name.length > LONGEST_NAME || /[\p{Cc}\p{Surrogate}]/u.test(name)) throw new Problem('BAD_REQUEST', `name must have 1 to ${LONGEST_NAME} characters, without control characters`);
  if (targets.length === 0 || targets.length > MOST_TARGETS) throw new Problem('BAD_REQUEST', `targets must have 1 to ${MOST_TARGETS} entries`);
  if (events.length === 0) throw new Problem('BAD_REQUEST', 'event_types must name at least one kind of event');
  const unknown = events.find((type) => !supported.event_type.includes(type));
  if (unknown !== undefined) throw new Problem('BAD_REQUEST', `event_types: "${unknown.slice(0, 64)}" is none of ${supported.event_type.join(', ')}`);
  return { name, description, projects: [], targets: targets.map((target) => readTarget(target, current)), eventTypes: [...new Set(events)], enabled };
}

function readTarget({ type = '', address = '', auth_header: authHeader, skip_cert_verify: skipCertVerify = false, payload_format: format = '', secret }: WebhookTargetObject, current: readonly Target[]): Target {
  if (!isTargetType(type)) throw new Problem('BAD_REQUEST', `targets: type must be one of ${SUPPORTED.notify_type.join(', ')}`);
  const fault = urlFault(address);
  if (fault !== undefined) throw new Problem('BAD_REQUEST', `targets: address cannot be used: ${fault}`);
  const same = current.find((target) => target.address === address && target.type === type);
  const target = {
    type, address, skipCertVerify, payloadFormat: readFormat(type, format),
    authHeader: authHeader === MASK ? (same?.authHeader ?? '') : (authHeader ?? ''), secret: secret === undefined || secret === MASK ? (same?.secret ?? '') : secret,
  };
  const wrong = headerFault('Authorization', target.authHeader);
  if (wrong !== undefined) throw new Problem('BAD_REQUEST', `targets: auth_header cannot be sent: ${wrong}`);
  if (/\p{Cc}/u.test(target.secret)) throw new Problem('BAD_REQUEST', 'targets: secret must not contain control characters');
  return target;
}

function readFormat(type: WebhookTargetType, format: string): string {
  const known: readonly string[] = WEBHOOK_FORMATS[type];
  if (known.length === 0 && format === '') return '';
  if (known.length === 0) throw new Problem('BAD_REQUEST', `targets: payload_format must be left out for ${type}`);
  if (format === '') return STANDARD_FORMAT;
  if (!known.includes(format)) throw new Problem('BAD_REQUEST', `targets: payload_format must be one of ${known.join(', ')}`);
  return format;
}

function isTargetType(text: string): text is WebhookTargetType {
  return Object.hasOwn(WEBHOOK_FORMATS, text);
}
