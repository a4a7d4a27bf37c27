import { Catch, Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { ProblemFilter } from '../http/problem.filter.js';

/** The person logs in, or out, elsewhere. The sign-in page cannot follow a redirect of its form, so it is told where to go. */
export class Elsewhere extends Problem {
  constructor(readonly location: string) {
    super('FORBIDDEN', 'go to the address in redirect_location with the browser');
  }
}

/** As the Harbor API answers forms of people who log in elsewhere. */
@Catch()
@Injectable()
export class ElsewhereFilter extends ProblemFilter {
  protected override body(problem: Problem): object {
    return problem instanceof Elsewhere ? { redirect_location: problem.location } : super.body(problem);
  }
}
