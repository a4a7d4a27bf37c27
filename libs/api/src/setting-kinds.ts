import { z } from 'zod';
import { text } from './fields.js';

/**
 * Where the Harbor API shows a setting: read and written, written only (secrets), read only, or not at all there, so
 * that it is an extension here.
 */
export type SettingPlace = 'put-get' | 'put' | 'get' | 'extension';

/** One setting of the installation. `Value` is what JSON and the database hold. */
export interface Setting<Value> {
  /** The JSON type; whatever is not of it is 422. */
  readonly type: z.ZodType<Value>;
  readonly initial: Value;
  readonly place: SettingPlace;
  /** Kept sealed, never shown, not part of Configuration. */
  readonly secret: boolean;
  /** What is wrong with a value of the right type, as the end of a sentence that begins with the key; 400. */
  fault(value: Value): string | undefined;
  /**
   * Whether what is stored may have a fault: an earlier version took more, and one setting that says something useless must
   * not keep everybody from reading all of them. Whoever works with the value finds the fault.
   */
  readonly keepsFaulty?: true;
}

type Fault<Value> = (value: Value) => string | undefined;

const faultless = (): undefined => undefined;

export function flag(initial: boolean, place: SettingPlace = 'put-get'): Setting<boolean> {
  return { type: z.boolean(), initial, place, secret: false, fault: faultless };
}

export function amount(initial: number, least: number, most: number, place: SettingPlace = 'put-get'): Setting<number> {
  return whole(initial, (value) => (value < least || value > most ? `must be ${least} to ${most}` : undefined), place);
}

export function whole(initial: number, fault: Fault<number>, place: SettingPlace = 'put-get'): Setting<number> {
  return { type: z.number().int(), initial, place, secret: false, fault };
}

export function words(initial: string, fault: Fault<string> = faultless, most = 4096, place: SettingPlace = 'put-get'): Setting<string> {
  return { type: text(most), initial, place, secret: false, fault };
}

/** Words that may be empty only for as long as nobody has set them. */
export function filledWords(initial: string): Setting<string> {
  return words(initial, (value) => (value.trim() === '' ? 'must not be empty' : undefined));
}

export function oneOf<const Word extends string>(initial: Word, choices: readonly Word[]): Setting<Word> {
  const fault = (value: string): string | undefined => (choices.some((word) => word === value) ? undefined : `must be one of ${choices.join(', ')}`);
  return { type: text(64) as unknown as z.ZodType<Word>, initial, place: 'put-get', secret: false, fault };
}

export function secretWords(): Setting<string> & { readonly secret: true } {
  return { type: text(4096), initial: '', place: 'put', secret: true, fault: faultless };
}
