/** Imports that no program of the tests reaches, by what they import, each with the reason. One that is reached, or gone, fails the test. */
export const notEntered: Readonly<Record<string, string>> = {
  '@smithy/core/dist-es/submodules/event-streams/index.js { EventStreamSerde, eventStreamSerdeProvider }':
    "AWS's clients read event streams with it, and Sluice calls no operation that answers by one",
  'bowser/bowser.mjs {  }': "AWS's clients ask it which browser they run in; under Node they ask nobody",
};
