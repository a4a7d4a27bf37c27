import { Catch, Injectable } from '@nestjs/common';
import { errorsBody, Problem, type ProblemCode } from '@haven/api';
import { ProblemFilter } from '../http/problem.filter.js';

/** A refusal with an error code of its own (RFC 6749, section 5.2). */
export class OAuthProblem extends Problem {
  constructor(readonly error: string, message: string) {
    super('BAD_REQUEST', message);
  }
}

const ERRORS: Partial<Record<ProblemCode, string>> = {
  UNAUTHORIZED: 'invalid_grant',
  TOO_MANY_REQUEST: 'temporarily_unavailable',
  SERVICE_UNAVAILABLE: 'temporarily_unavailable',
  UNKNOWN: 'server_error',
};

/** Refusals of the OAuth2 form: its own fields beside the envelope of the rest of the API. */
@Catch()
@Injectable()
export class OAuthProblemFilter extends ProblemFilter {
  protected override body(problem: Problem): object {
    const error = problem instanceof OAuthProblem ? problem.error : (ERRORS[problem.code] ?? 'invalid_request');
    return { error, error_description: problem.message, ...errorsBody(problem.code, problem.message) };
  }
}
