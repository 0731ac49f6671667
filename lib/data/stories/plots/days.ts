/**
 * Stories of one particular day.
 *
 * @module
 */

import type { Plot } from "./plot.ts";

/** Everybody seems to have forgotten. */
export const SURPRISE: Plot = {
  cast: "anyone",
  scenes: [
    { reply: "I am busy", where: "in the kitchen" },
    { reply: "I have to go", where: "under the big tree" },
    { reply: "Not today", where: "{inplace}" },
    { reply: "I have to clean", where: "in the yard" },
    { reply: "Maybe later", where: "near {place}" },
  ],
  paragraphs: [
    `{intro} It was {his} birthday. [{hero} woke up early.|
    {hero} jumped out of bed.|] [But no one said, "Happy birthday."|
    But everyone was very quiet.] {hero} went to {his} friend {friend}.
    "[Can you play with me|Do you want to play]?" {asked}.
    "{reply}," said {friend}[ and ran away|]. [{hero} went to {his} {parent},
    but {phe} was busy too.|]`,
    `{hero} was {sad}. ["They forgot my birthday," {he} thought.|
    "No one likes me," {he} thought.|{He} sat down {spot}.|
    {He} walked home all alone.]
    [Then {he} heard a sound.|Then {his} {parent} called {him}.|
    Then {friend} came back. "Come with me," {fsaid}.|
    After a while, {he} saw {a look} balloon.]
    [{He} went to look.|{hero} went to see what it was.|
    It was time to go and see.]`,
    `"Surprise!" [everyone shouted|shouted {friend} and all the others].
    They were all {where}. There was [a big cake|a cake and {a look} {toy}|
    cake and music|{a snack} for everyone]. ["You did not forget!" said {hero}.|
    "We made a party for you," said {friend}.|
    "We could never forget you," said {his} {parent}.]
    [They danced and sang.|They ate cake and played games.|
    {hero} blew out the candles and made a wish.]
    [{hero} was the happiest {boy} in the world.|{end}]`,
  ],
};

/** Somewhere new, and back. */
export const TRIP: Plot = {
  cast: "children",
  scenes: [
    { to: "the zoo", by: "bus", saw: "a tall giraffe and a funny monkey" },
    { to: "the sea", by: "train", saw: "big waves and a white ship" },
    { to: "the farm", by: "car", saw: "a cow, a pig and ten hens" },
    { to: "the mountains", by: "car", saw: "snow and a big bird" },
    { to: "the city", by: "train", saw: "tall houses and many cars" },
    { to: "the island", by: "boat", saw: "a green turtle and pink shells" },
    { to: "the river", by: "bike", saw: "little fish and an old bridge" },
  ],
  paragraphs: [
    `{intro} {day}, {his} {parent} said, "Today we are going to {to}!"
    [{hero} was {happy}.|{hero} jumped up and down.|
    {hero} had never been to {to}.] [{He} put {a snack} and {a toy} in a bag.|
    "Can {friend} come too?" asked {hero}. "Yes," said {his} {parent}.|
    {He} took {his} {look} {toy} with {him}.]
    They went by {by}.`,
    `[It was a long way.|"Are we there yet?" asked {hero}.
    "Soon," said {his} {parent}.|On the way, they sang songs.]
    [At last|Then], they were there. They saw {saw}.
    ["Look at that!" [said|shouted] {hero}.|"Wow!" said {hero}.|
    {hero} could not stop looking.] [They ate lunch in the sun.|
    {hero} ran here and there.|Then it began to rain a little, but {hero} did
    not mind.|{He} asked many questions.|"Hello!" said {hero}, and {he} waved.]
    [Then {hero} could not see {his} {parent}. {He} was scared. But {phe} was
    right behind {him}.|"What do you like best?" asked {his} {parent}.
    "All of it!" said {hero}.|]`,
    `[Soon|Then|In the evening], it was time to go home. {hero} was tired.
    [{He} fell asleep on the way.|{He} held {his} {parent}'s hand.|
    "Can we come back?" {asked}. "[Yes|Of course]," said {his} {parent}.]
    [At home, {he} drew a picture of {to}.|
    The next day, {he} told {his} friend {friend} all about it.|
    {He} had a dream about {to}.|{end}]`,
  ],
};

/** No sun, and yet it is fun. */
export const RAINY_DAY: Plot = {
  cast: "anyone",
  scenes: [
    { play: "a ship", with: "a big box", then: "They sailed over the sea" },
    { play: "a tent", with: "a blanket", then: "They told stories inside" },
    { play: "a band", with: "pots and spoons", then: "It was very loud" },
    { play: "a train", with: "chairs", then: "Choo choo, they went far away" },
    { play: "a shop", with: "stones and leaves", then: "They sold everything" },
    { play: "a castle", with: "boxes", then: "They put a flag on top" },
  ],
  paragraphs: [
    `{pair} They wanted to go to {place}. But it [was raining|
    rained and rained|was a very wet day].
    ["Go away, rain!" said {hero}.|"We can not go out," said {friend}.|
    {hero} looked at the rain and was {sad}.]
    ["There is nothing to do," said {hero}.|"What can we do now?" asked {hero}.|
    They sat and looked at the drops.]`,
    `Then {friend} had an idea. "[Let us make|We can make] {play}!" {fsaid}.
    They took {with}. [{hero} worked fast.|{His} {parent} gave them some help.|
    It was not hard.|] Soon, they had {play}. {then}.
    [{His} {parent} came in and played too.|
    {His} {parent} brought them {a snack}.|"This is so much fun!" said {hero}.|
    They laughed and laughed.]
    [They played all day.|They forgot about the rain.|]`,
    `[Then the rain stopped.|At last, the sun came out.|
    "Look, the rain is gone!" said {friend}.]
    [There was a rainbow in the sky.|They ran out and jumped in the water.|
    "Do you want to go out now?" asked {friend}. "No, I want to play more,"
    said {hero}.|"I like the rain now," said {hero}.]
    [{hero} learned that a rainy day can be fun.|{friends}]`,
  ],
};

/** The night is long for those who can not sleep. */
export const BEDTIME: Plot = {
  cast: "anyone",
  scenes: [
    { count: "stars", song: "about the moon", why: "It was too quiet" },
    { count: "sheep", song: "about the sea", why: "The wind was loud" },
    { count: "clouds", song: "about a little boat", why: "It was too hot" },
    { count: "stars", song: "about a bird", why: "{He} was thinking too much" },
  ],
  paragraphs: [
    `{intro} [One night|Late one night], {hero} could not sleep.
    {why}. [{He} turned this way and that way.|{He} held {his} {toy} tight.|
    {He} closed {his} eyes, but {he} was still awake.]
    ["{Parent}, I can not sleep," {he} [said|called].|
    {hero} got up and went to {his} {parent}.|{hero} called {his} {parent}.]`,
    `{His} {parent} [came and sat by the bed|came with a small lamp].
    ["Shall I tell you a story?" {pasked}.|"Let us look at the sky,"
    {psaid}.|"Close your eyes and count {count}," {psaid}.]
    [{hero} counted {count}. One, two, three, four.|
    {hero} asked for some water. Then {he} asked for {a snack}.|
    The moon was big and round.]
    Then {his} {parent} sang a song {song}. [It was soft and sweet.|
    {hero} knew it well.|{hero} listened.]`,
    `["Where does the sun sleep?" asked {hero}. "Behind the hill,"
    said {his} {parent}.|"Does {friend} sleep now?" asked {hero}. "Yes,
    everyone is asleep," said {his} {parent}.|
    "I love you, {Parent}," said {hero}. "I love you too," {psaid}.]
    [Soon, {his} eyes were heavy.|{hero} smiled and held {phis} hand.|]
    [Then {he} was asleep.|And {he} fell asleep.|
    {hero} slept all night.] [{He} had a dream about {place}.|
    {He} dreamed that {he} could fly.|
    In the morning, {he} told {his} friend {friend} about the dream.|]
    [Good night, {hero}.|The stars looked down and smiled.|]`,
  ],
};

/** Winning is not everything. */
export const RACE: Plot = {
  cast: "anyone",
  scenes: [
    { hurt: "fell and hurt {fhis} leg", care: "helped {fhim} up" },
    { hurt: "was stuck in the mud", care: "pulled {fhim} out" },
    { hurt: "was too tired to run", care: "gave {fhim} some water" },
    { hurt: "had a stone in {fhis} foot", care: "took the stone out" },
  ],
  paragraphs: [
    `{pair} {day}, there was a [big |]race {inplace}. [{sky}|]
    The prize was {a look} {toy}. [{hero} wanted to win.|
    "I am going to win!" said {hero}.|"I am faster than you," said {hero}.
    "We will see," said {friend}.]
    [Everyone came to see it.|They all stood in a line.|]
    "One, two, three, go!"`,
    `{hero} ran [very fast|like the wind|as fast as {he} could].
    [Soon {he} was first.|{He} did not look back.|{friend} was right behind.]
    Then {hero} heard a cry. It was {friend}. {Fhe} {hurt}.
    [{hero} saw the end of the race. {He} could win!|
    "What can I do?" {hero} thought.|{hero} stopped.|{hero} thought of the
    {toy}. Then {he} thought of {his} friend.]
    [{hero} went back|So {hero} turned around|{He} ran back to {friend}] and
    {care}.`,
    `["But now you can not win," said {friend}. "You are my friend," said
    {hero}. "That is better."|"Thank you," said {friend}. "You are a good
    friend."|"Come, we will go together," said {hero}.]
    They [walked|went] to the end [hand in hand|together|side by side].
    [They were the last ones.|Someone else won the race.|]
    But everyone [clapped for them|was proud of {hero}].
    [{hero} got a prize for being kind.|{His} {parent} {psmiled}.|
    "You are a real winner," said {his} {parent}.|]
    [{hero} learned that a friend is better than a prize.|{friends}]`,
  ],
};

/** A noise in the night, or in a tree, or under the floor. */
export const MYSTERY: Plot = {
  cast: "anyone",
  scenes: [
    { sound: "Tap, tap, tap", from: "the window", who: "a branch in the wind" },
    { sound: "Scratch, scratch", from: "the wall", who: "a tiny mouse" },
    { sound: "Hoo, hoo", from: "the old tree", who: "a baby owl" },
    { sound: "Drip, drip, drip", from: "the roof", who: "the rain" },
    { sound: "Crunch, crunch", from: "the garden", who: "a hungry goat" },
    { sound: "Ribbit, ribbit", from: "the bucket", who: "a green frog" },
  ],
  paragraphs: [
    `{intro} [One night|One evening|{day}], {hero} heard a strange noise.
    "{sound}!" ["What is that?" {he} [asked|said].|{hero} sat up.|
    {hero} stood very still.] It came from {from}.
    [{hero} was a little scared.|{hero} wanted to know what it was.|
    {His} {parent} did not hear it.]`,
    `[{hero} went to get {his} friend {friend}.|{His} friend {friend} came to
    see {him}.|
    {hero} told {his} friend {friend} about the noise.]
    ["Maybe it is a [ghost|monster|dragon]," said {friend}.|
    "Let us find out," said {friend}.|"I am not afraid," said {friend}.]
    [They walked on the tips of their toes.|They took a lamp.|
    They held hands and went to look.]
    "{sound}!" [There it was again!|It was louder now.|They stopped.]
    ["You go first," said {friend}.|"Shh," said {hero}.|]`,
    `[{hero} looked.|Slowly, {hero} looked.|They came near and looked.]
    [It was only|What they saw was] {who}! [They laughed and laughed.|
    "It is just {who}!" said {hero}.|"We were silly," said {friend}.|
    "Hello there," said {hero}.]
    [{hero} was not scared anymore.|They were glad that they looked.|
    They told {his} {parent}, and {phe} laughed too.]
    [{hero} learned that it is good to find out.|{friends}|{end}]`,
  ],
};
