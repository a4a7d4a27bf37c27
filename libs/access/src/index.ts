export { type Role, ROLES, roleFromNumber, roleNumber, strongestRole } from './role.js';
export { type Action, permissionsOf, type ProjectPermission, projectPermissions, type ProjectResource, publicPermissions } from './permission.js';
export {
  type GrantablePermission, grantableProjectPermissions, grantableSystemPermissions, isGrantable, projectRobotPermissions, systemPermissions, type SystemResource,
} from './robot-permission.js';
export { parseSubjectId, type Subject, subjectId } from './subject.js';
export {
  type Caller, can, canOnSystem, mayGrant, type ProjectAccess, REPOSITORY_ACTIONS, type RepositoryAction, repositoryActions, type RobotGrant,
} from './can.js';
export { parseScopes, type Scope, ScopeError } from './scope.js';
export { AccessEpochs } from './access-epochs.js';
export { openSecret, SealedSecretError, sealSecret } from './sealed-secret.js';
export { type AccessEntry, MAX_TOKEN_SECONDS, type RegistryTokenClaims, TOKEN_ISSUER, TOKEN_SERVICE } from './token/claims.js';
export { TokenError } from './token/token-error.js';
export { generateSigningKey, type PublicKeySet, type SigningKey } from './token/signing-key.js';
export { MAX_TOKEN_LENGTH, signRegistryToken } from './token/sign.js';
export { RegistryTokenVerifier, type RegistryTokenVerifierOptions } from './token/verifier.js';
