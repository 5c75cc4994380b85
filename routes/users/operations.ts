import { answer, problemAnswers } from '../../schemas/responses.js'
import { johnDoe, User, UserParams } from '../../schemas/user.js'

/** The schema of each route, as validation, serialization and OpenAPI use it. */
export const showUser = {
  tags: ['users'],
  summary: 'Show User',
  description: 'Answers the profile of the user with this name.',
  params: UserParams,
  response: {
    200: answer('The profile.', User, johnDoe),
    ...problemAnswers(404, 422, 500, 503)
  }
}
