export const janeDoe = {
  name: 'Jane Doe',
  email: 'jdoe@example.com',
  course: 'Experiments, Science, and Fashion in Nanophotonics',
  gpa: 3.5
}

/** An id that no student has. */
export const unknownId = '66b3f0a1c2d4e5f601234567'
