import { Problem } from '@haven/api';
import type { CatalogError } from '@haven/catalog';
import { quotaMessage } from './quota-message.js';

/** What the artifact model refused, in the words of the REST API. */
export function problemOfCatalog(error: CatalogError): Problem {
  switch (error.code) {
    case 'project-unknown':
    case 'repository-unknown':
    case 'manifest-unknown':
    case 'tag-unknown':
    case 'blob-unknown':
    case 'upload-unknown':
    case 'bin-entry-unknown':
      return new Problem('NOT_FOUND', error.message, { cause: error });
    case 'referenced':
      return new Problem('VIOLATE_FOREIGN_KEY_CONSTRAINT', error.message, { cause: error });
    case 'immutable':
      return new Problem('PRECONDITION', error.message, { cause: error });
    case 'quota-exceeded':
      return new Problem('DENIED', error.quota === undefined ? error.message : quotaMessage(error.quota), { cause: error });
    case 'accessory-source':
      return new Problem('DENIED', error.message, { cause: error });
    case 'references-missing':
    case 'size-mismatch':
      return new Problem('BAD_REQUEST', error.message, { cause: error });
    case 'blob-deleting':
    case 'upload-changed':
    case 'tag-exists':
    case 'restore-conflict':
      return new Problem('CONFLICT', error.message, { cause: error });
  }
}
