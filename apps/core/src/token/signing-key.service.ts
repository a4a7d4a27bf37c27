import { Injectable } from '@nestjs/common';
import { generateSigningKey, openSecret, SealedSecretError, sealSecret, type SigningKey } from '@haven/access';
import { CoreOptions } from '../platform/core-options.js';
import { SigningKeyStore, type StoredSigningKey } from './signing-key.store.js';

/** The key that registry tokens are signed with: made at the very first start, sealed under the platform's key file. */
@Injectable()
export class SigningKeyService {
  #key: SigningKey | undefined;

  constructor(
    private readonly store: SigningKeyStore,
    private readonly options: CoreOptions,
  ) {}

  /** Reads or makes the key. Rejects when the key file is not the one that the key was sealed under. */
  async load(): Promise<void> {
    this.#key = this.#opened(await this.store.findOrCreate(() => this.#generate()));
  }

  /** The key to sign with. */
  current(): SigningKey {
    if (this.#key === undefined) throw new Error('the signing key was asked for before the start was complete');
    return this.#key;
  }

  async #generate(): Promise<StoredSigningKey> {
    const { kid, publicJwk, privateJwk } = await generateSigningKey();
    return { kid, publicJwk, sealedPrivateJwk: sealSecret(this.options.secretKey, JSON.stringify(privateJwk), contextOf(kid)) };
  }

  #opened({ kid, publicJwk, sealedPrivateJwk }: StoredSigningKey): SigningKey {
    try {
      return { kid, publicJwk, privateJwk: JSON.parse(openSecret(this.options.secretKey, sealedPrivateJwk, contextOf(kid))) as SigningKey['privateJwk'] };
    } catch (cause) {
      if (!(cause instanceof SealedSecretError)) throw cause;
      throw new Error('the signing key in the database does not open with the key in HAVEN_SECRET_KEY_FILE; give back the key file that this installation was started with', { cause });
    }
  }
}

function contextOf(kid: string): string {
  return `signing-key:${kid}`;
}
