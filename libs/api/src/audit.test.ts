import { expect, test } from '@jest/globals';
import { auditEventType, isAudited } from './audit.js';

test.each([
  ['pull_artifact', false, '', true],
  ['pull_artifact', true, '', false],
  ['create_artifact', true, '', true],
  ['create_tag', false, 'delete_tag, create_tag', false],
  ['create_tag', false, 'create_tags,tag', true],
])('%s with pulls off: %s and disabled "%s" is kept: %s', (type, pullsOff, disabled, kept) => {
  expect(isAudited(type, { pull_audit_log_disable: pullsOff, disabled_audit_log_event_types: disabled })).toBe(kept);
});

test('a kind of line is named by its operation and the type of its resource', () => {
  expect(auditEventType({ operation: 'login', resourceType: 'user' })).toBe('login_user');
});
