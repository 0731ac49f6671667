/**
 * Stories in which something is made.
 *
 * @module
 */

import type { Plot } from "./plot.ts";

/** A thing is built, falls, and is built better. */
export const BUILDING: Plot = {
  cast: "anyone",
  scenes: [
    { made: "tower", from: "blocks", fall: "The wind blew it down" },
    { made: "castle", from: "sand", fall: "A wave came and took it away" },
    { made: "house", from: "sticks", fall: "It fell down with a bang" },
    { made: "boat", from: "wood", fall: "It was full of water and sank" },
    { made: "bridge", from: "stones", fall: "One stone fell, and then all" },
    { made: "snowman", from: "snow", fall: "The head rolled off" },
    { made: "fort", from: "boxes", fall: "A box broke and it fell" },
  ],
  paragraphs: [
    `{pair} {day}, [{hero} had an idea.|they were {inplace}.|
    they did not know what to play.]
    ["Let us make a {made}," said {hero}.|"We can make a {made}!" said {hero}.|
    {hero} wanted to make a {made}.]
    [They found some {from}.|They got a lot of {from}.|
    "We need {from}," said {friend}.]`,
    `[They worked [hard|all morning|for a long time].|
    {hero} brought the {from}, and {friend} helped.|
    {friend} held it, and {hero} put the {from} on top.]
    The {made} was [big|almost done|very tall|nice]. [But then, oh no!|
    Then something happened.|But it was not strong.] {fall}.
    [{hero} was {sad}.|"Now it is broken," said {hero}.|
    {hero} was angry and kicked the ground.]
    ["We can make it again," said {friend}.|
    "Do not be sad," said {friend}. "We will make it better."|
    "I have a plan," said {friend}.]`,
    `[So they started again.|They tried again.|They did it again, but slowly.]
    [They made it [wide and strong|big and strong|better].|
    {His} {parent} came and helped.|{hero} and {friend} worked side by side.]
    [At last, it was done.|Soon, the {made} was done.|]
    ["This is the best {made} in the world!" said {hero}.|
    "It is so strong!" said {friend}.|
    They put {a look} flag on top.|"We did it together," said {hero}.]
    {friends}`,
  ],
};

/** Something good comes out of the kitchen. */
export const BAKING: Plot = {
  cast: "anyone",
  scenes: [
    {
      dish: "cake",
      into: "flour and eggs",
      slip: "There was flour everywhere",
    },
    { dish: "soup", into: "carrots and beans", slip: "The pot was too full" },
    {
      dish: "bread",
      into: "flour and water",
      slip: "The flour was on {his} nose",
    },
    { dish: "pie", into: "apples and sugar", slip: "An apple rolled away" },
    {
      dish: "jam",
      into: "berries and sugar",
      slip: "{His} hands were all red",
    },
  ],
  paragraphs: [
    `{intro} {day}, {his} {parent} said, "Let us make some {dish}."
    [{hero} was {happy}.|"Yes!" said {hero}. "I want to help."|
    {hero} ran to the kitchen.|"For {friend}?" asked {hero}.
    "Yes, for {friend}," said {his} {parent}.]`,
    `[First, they|They] washed their hands. Then they put {into} in a big
    [bowl|pot]. [{hero} mixed and mixed.|"Now mix it," said {his} {parent}.|
    {hero} did it all by {himself}.]
    [{slip}! ["Oops!" said {hero}.|{hero} laughed.|They both laughed.]|
    "Can I taste it?" asked {hero}. "Just a little," said {his} {parent}.|
    "Be careful. It is hot," said {his} {parent}.]
    [Then they had to wait.|They waited and waited.|Soon it smelled so good.|
    "Is it done?" asked {hero}. "Not yet," said {his} {parent}.]`,
    `[At last|Then|Soon], the {dish} was done. [It was warm and sweet.|
    It looked very good.|It was still hot.|]
    [{hero} took some to {his} friend {friend}.|{His} friend {friend} came to
    eat with them.|
    {hero} called {his} friend {friend}.] ["Yum! This is the best {dish}," said
    {friend}.|
    "Did you make this?" asked {friend}. "Yes, I did!" said {hero}.|
    {friend} ate it all up and asked for more.|"Mmm, so good!" said {friend}.]
    [{hero} was very proud.|{hero} learned that food is better with a friend.|
    {hero} wanted to make more the next day.|{end}]`,
  ],
};

/** A seed needs time. */
export const SEED: Plot = {
  cast: "anyone",
  scenes: [
    { plant: "flower", grown: "opened, red and yellow" },
    { plant: "tree", grown: "was taller than {hero}" },
    { plant: "pumpkin", grown: "was as big as a chair" },
    { plant: "bean", grown: "went up and up to the roof" },
    { plant: "sunflower", grown: "was as tall as {his} {parent}" },
  ],
  paragraphs: [
    `{intro} {day}, {his} {parent} gave {him} a [tiny|small|little] seed.
    ["What is it?" asked {hero}. "You will see," said {his} {parent}.|
    "This will be a {plant}," said {his} {parent}.|
    "It is so small," said {hero}.]
    [{hero} made a hole and put the seed in the ground.|
    {hero} put the seed in a pot of dirt.|They put it in the dirt together.]`,
    `[Every day, {hero} gave it water.|{hero} gave it water and sang to it.|
    Each morning, {hero} ran out to look.]
    [But nothing happened.|But there was only dirt.|But {he} saw nothing.]
    ["Why does it not grow?" {asked}.|"It is too slow," said {hero}.|
    {hero} was {sad}.] ["You have to wait," said {his} {parent}.|
    "Good things take time," said {his} {parent}.|
    "It needs sun and rain and love," said {his} {parent}.]
    [So {hero} waited.|{hero} waited for many days.|Then the rain came.|
    Then the sun was warm for a week.]`,
    `[One morning, there was a tiny green leaf!|
    Then one day, {hero} saw something green.]
    ["It is growing!" {he} shouted.|"Come and look, {Parent}!" {he} shouted.|
    {hero} jumped with joy.] It grew [every day|and grew|a bit more each day].
    [Soon|At last|In the summer], the {plant} {grown}.
    [{His} friend {friend} came to see it. "[Wow|How pretty]!" {fsaid}.|
    {hero} showed it to {his} friend {friend}.|A little bird came and sat on
    it.|]
    [{hero} learned to wait.|{hero} was glad that {he} waited.|
    {hero} took care of it every day.|{end}]`,
  ],
};

/** A gift made by hand. */
export const GIFT: Plot = {
  cast: "anyone",
  scenes: [
    { gift: "picture", way: "drew the sun, a house and two friends" },
    { gift: "card", way: "cut the paper and drew a heart" },
    { gift: "necklace", way: "put {look} shells on a string" },
    { gift: "crown", way: "put flowers and leaves together" },
    { gift: "song", way: "found nice words and sang them over and over" },
  ],
  paragraphs: [
    `{intro} It was {his} {parent}'s birthday. [{hero} wanted to give {phim}
    something nice.|{hero} wanted to make {phim} happy.]
    [But {he} had no money.|But {he} did not have a gift.|
    {hero} looked {spot}, but there was no gift.]
    ["What can I do?" {he} asked {his} friend {friend}.
    "You can make something," said {friend}.|
    {He} thought and thought. Then {he} had an idea.|
    {hero} was {sad}. But then {he} had an idea.]`,
    `{hero} [sat down and|went to {his} room and|went to {place} and] made a
    {gift}. {He} {way}. [It took a long time.|{He} worked very hard.|
    It was not easy, but it was fun.|{His} friend {friend} helped {him}.|]
    ["I hope {phe} likes it," said {hero}.|
    "That is so pretty," said {his} friend {friend}.|]`,
    `Then {he} [went|ran] to {his} {parent}. "[Happy birthday|This is for you],
    {Parent}!" {said}. [{His} {parent} was surprised.|
    {His} {parent} had tears in {phis} eyes.|{His} {parent} {psmiled}.]
    ["You made this {gift} for me?" {pasked}.|
    "This is the best gift of all," {psaid}.|
    "I love it, because you made it," {psaid}.]
    [They ate cake and sang.|They hugged for a long time.|]
    [{hero} learned that the best gifts come from the heart.|{end}]`,
  ],
};
