import { faker } from '@faker-js/faker'

/** A realistic student; `faker.seed()` before makes the same ones again. */
export function fakeStudent () {
  const firstName = faker.person.firstName()
  const lastName = faker.person.lastName()
  return {
    name: `${firstName} ${lastName}`,
    email: faker.internet.email({ firstName, lastName, provider: 'example.com' }).toLowerCase(),
    course: `${faker.word.adjective()} ${faker.word.noun()}: ${faker.company.buzzPhrase()}`,
    gpa: faker.number.float({ min: 1, max: 4, fractionDigits: 2 })
  }
}
