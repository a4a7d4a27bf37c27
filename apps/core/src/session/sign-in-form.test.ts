import { describe, expect, test } from '@jest/globals';
import { readNameForm, readSignInForm } from './sign-in-form.js';

function code(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('the sign-in form', () => {
  test('holds a name and a password, exactly as they are written', () => {
    expect(readSignInForm('principal=al%20ice&password=a%26b%3D%2B+c&other=1')).toEqual({ username: 'al ice', password: 'a&b=+ c' });
  });

  test.each(['', 'principal=alice', 'password=x', 'principal=&password=x', 'principal=a%00b&password=x', `principal=${'a'.repeat(256)}&password=x`, `principal=a&password=${'b'.repeat(1025)}`])(
    'of nobody: %s', (body) => {
      expect(readSignInForm(body)).toBeUndefined();
    });

  test('is a form, with each field once', () => {
    expect(code(() => readSignInForm({ principal: 'alice', password: 'x' }))).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(code(() => readSignInForm(undefined))).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(code(() => readSignInForm('principal=alice&password=x&principal=admin'))).toBe('BAD_REQUEST');
  });
});

describe('the form of a name', () => {
  test('says which kind it is', () => {
    expect(readNameForm('target=username&value=alice')).toEqual({ target: 'username', value: 'alice' });
    expect(readNameForm('target=email&value=a%40b')).toEqual({ target: 'email', value: 'a@b' });
  });

  test.each(['', 'target=username', 'target=password_hash&value=x', `target=username&value=${'a'.repeat(256)}`, 'target=username&value=%00', 'target=email&target=email&value=x'])('is not %j', (body) => {
    expect(code(() => readNameForm(body))).toBe('BAD_REQUEST');
  });
});
